# Witness of ember.models.random_intercept (lme4) and ember.models.site_weighted (nlme).   Rscript mixed.R
suppressPackageStartupMessages({ library(lme4); library(jsonlite) })
d <- read.csv("data/trial.csv", stringsAsFactors = TRUE)
control <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhobeg = 0.2, rhoend = 1e-12, maxfun = 1e5))
one <- function(m) { v <- as.data.frame(VarCorr(m)); list(names = names(fixef(m)), coefficients = unname(fixef(m)),
  std_errors = unname(sqrt(diag(as.matrix(vcov(m))))), site_sd = v$sdcor[1], residual_sd = v$sdcor[2], reml = unname(REMLcrit(m))) }
l <- lmer(outcome ~ age + female + arm * log2crp + (1 | site), d, control = control)
w <- lmer(outcome ~ age + female + arm * log2crp + (1 | site), d, weights = weight, control = control)
# Residuals about site means have no variance between sites: the boundary.
d$flat <- d$outcome - ave(d$outcome, d$site)
b <- suppressMessages(lmer(flat ~ 1 + (1 | site), d, control = control))
s <- nlme::gls(outcome ~ age + female + arm * log2crp + site, d, weights = nlme::varIdent(form = ~ 1 | site), method = "REML",
  control = nlme::glsControl(tolerance = 1e-13, msTol = 1e-13, maxIter = 500, msMaxIter = 500, returnObject = TRUE))
sds <- s$sigma * coef(s$modelStruct$varStruct, unconstrained = FALSE, allCoef = TRUE)[levels(d$site)]
write(toJSON(list(plain = one(l), weighted = one(w), boundary = one(b), site_weighted = list(names = names(coef(s)),
  coefficients = unname(coef(s)), std_errors = unname(sqrt(diag(s$varBeta))), site_sd = unname(sds))),
  auto_unbox = TRUE, digits = NA), "mixed.json")
