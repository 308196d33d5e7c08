# Witness of whole analyses (ember.models.fit_analysis): sandwich, metafor, nlme, lme4, survey.   Rscript analysis.R
suppressPackageStartupMessages({ library(sandwich); library(metafor); library(lme4); library(survey); library(jsonlite) })
sites <- c("alfa", "beta", "gama", "delta")
d <- read.csv("data/analysis_trial.csv"); d$site_id <- factor(d$site_id, levels = sites); d$sex <- factor(d$sex)
wanted <- c("treatment", "exposure", "treatment:exposure")
tight <- list(threshold = 1e-14, maxiter = 1000)
pooled <- function(yi, sei) { m <- rma(yi, sei = sei, method = "REML", test = "knha", control = tight); p <- predict(m)
  list(estimate = m$b[1], std_error = m$se, conf_low = m$ci.lb, conf_high = m$ci.ub, df = m$ddf[[1]], p_value = m$pval,
    tau2 = m$tau2, i2 = m$I2, pred_low = p$pi.lb, pred_high = p$pi.ub) }
# A term of every site, then pooled.
two_stage <- function(fits, terms) setNames(lapply(terms, function(t) {
  b <- sapply(fits, function(f) f$b[[t]]); s <- sapply(fits, function(f) f$s[[t]])
  list(estimate = unname(b), std_error = unname(s), pooled = pooled(b, s)) }), terms)

# 1. ANCOVA at each site, HC3, t(n - p); pooled by REML with Hartung and Knapp.
ancova <- lapply(sites, function(s) { m <- lm(outcome ~ treatment * exposure + baseline + age + sex, d[d$site_id == s, ])
  v <- vcovHC(m, "HC3"); q <- qt(0.975, m$df.residual)
  list(b = as.list(coef(m)), s = as.list(sqrt(diag(v))), df = m$df.residual, v = v, m = m) })
linear <- two_stage(ancova, wanted); linear$df <- sapply(ancova, function(f) f$df)
# The curve at an exposure value of 2 (canonical unit): each site's line about its own centre, pooled.
centre <- sapply(sites, function(s) { r <- d[d$site_id == s, ]; mean(log2(r$exposure_value) - r$exposure) })
rug <- unname(quantile(d$exposure_value, (1:9) / 10)); grid <- exp(seq(log(rug[1]), log(rug[9]), length.out = 41))[c(1, 21, 41)]
curve <- lapply(grid, function(x) { at <- lapply(seq_along(sites), function(i) { f <- ancova[[i]]; w <- log2(x) - centre[[i]]
    k <- c("treatment", "treatment:exposure"); c(f$b$treatment + w * f$b[["treatment:exposure"]], sqrt(drop(c(1, w) %*% f$v[k, k] %*% c(1, w)))) })
  c(list(at = x), pooled(sapply(at, `[`, 1), sapply(at, `[`, 2))[c("estimate", "std_error", "conf_low", "conf_high")]) })

# 2. All sites in one model: a residual variance, an intercept and a slope of the baseline for each site (REML).
g <- nlme::gls(outcome ~ 0 + site_id + treatment * exposure + baseline:site_id + age + sex, d, weights = nlme::varIdent(form = ~ 1 | site_id), method = "REML",
  control = nlme::glsControl(opt = "optim", optimMethod = "BFGS", tolerance = 1e-13, msTol = 1e-16, maxIter = 500, msMaxIter = 500, returnObject = TRUE))
gls <- list(coefficients = as.list(coef(g)[wanted]), std_errors = as.list(sqrt(diag(g$varBeta))[wanted]), df = g$dims$N - g$dims$p)
# ... one residual variance, HC3.
f <- lm(outcome ~ 0 + site_id + treatment * exposure + baseline:site_id + age + sex, d)
fixed <- list(coefficients = as.list(coef(f)[wanted]), std_errors = as.list(sqrt(diag(vcovHC(f, "HC3")))[wanted]), df = f$df.residual)
# ... a random intercept.
l <- lmer(outcome ~ treatment * exposure + baseline:site_id + age + sex + (1 | site_id), d,
  control = lmerControl(optimizer = "bobyqa", optCtrl = list(rhobeg = 0.2, rhoend = 1e-12, maxfun = 1e5)))
random <- list(coefficients = as.list(fixef(l)[wanted]), std_errors = as.list(setNames(sqrt(diag(as.matrix(vcov(l)))), names(fixef(l)))[wanted]))

# 3. Response: logistic at each site, pooled log odds ratios; risks by g-computation, delta method plus the sampling of
#    the covariates: V = G vcov G' + Cov(risks) / n, Cov with divisor n (the "superpopulation" variance, Bartlett 2018).
standardised <- function(m, data) { x1 <- model.matrix(delete.response(terms(m)), transform(data, treatment = 1)); x0 <- model.matrix(delete.response(terms(m)), transform(data, treatment = 0))
  p1 <- plogis(drop(x1 %*% coef(m))); p0 <- plogis(drop(x0 %*% coef(m))); gradient <- rbind(colMeans(p0 * (1 - p0) * x0), colMeans(p1 * (1 - p1) * x1))
  n <- nrow(data); v <- gradient %*% vcov(m) %*% t(gradient) + cov(cbind(p0, p1)) * (n - 1) / n / n
  list(b = list(risk_reference = mean(p0), risk_active = mean(p1), risk_difference = mean(p1) - mean(p0)),
    s = list(risk_reference = sqrt(v[1, 1]), risk_active = sqrt(v[2, 2]), risk_difference = sqrt(v[1, 1] + v[2, 2] - 2 * v[1, 2]))) }
exact <- glm.control(epsilon = 1e-15, maxit = 100)
logits <- lapply(sites, function(s) { r <- d[d$site_id == s, ]; m <- suppressWarnings(glm(response ~ treatment * exposure + baseline + age + sex, binomial, r, control = exact))
  k <- standardised(m, r); list(b = c(as.list(coef(m)), k$b), s = c(as.list(sqrt(diag(vcov(m)))), k$s)) })
response <- two_stage(logits, c(wanted, "risk_reference", "risk_active", "risk_difference"))
j <- suppressWarnings(glm(response ~ 0 + site_id + treatment * exposure + baseline:site_id + age + sex, binomial, d, control = exact)); k <- standardised(j, d)
joint <- list(coefficients = c(as.list(coef(j)[wanted]), k$b), std_errors = c(as.list(sqrt(diag(vcov(j)))[wanted]), k$s))

# 4. The survey: each cycle apart, and both as strata of one design (weights are halved in the file already).
s <- read.csv("data/analysis_survey.csv"); s$sex <- factor(s$sex); s$layer <- paste(s$site_id, s$survey_stratum, sep = "|")
design <- svydesign(~survey_psu, strata = ~layer, weights = ~survey_weight, nest = TRUE, data = s)
regression <- function(formula, within, family) { m <- suppressWarnings(svyglm(formula, within, family = family, control = exact)); ci <- confint(m)
  keep <- c("exposure", "age", "bmi"); list(names = keep, estimate = unname(coef(m)[keep]), std_error = unname(sqrt(diag(vcov(m)))[keep]), df = m$df.residual,
    conf_low = unname(ci[keep, 1]), conf_high = unname(ci[keep, 2]), p_value = unname(summary(m)$coefficients[keep, 4])) }
share <- function(within) { p <- svyciprop(~case, within, method = "logit"); list(estimate = unname(coef(p)[1]), std_error = sqrt(attr(p, "var")[1]),
  conf_low = unname(attr(p, "ci")[1]), conf_high = unname(attr(p, "ci")[2])) }
analysed <- subset(design, in_set == "true"); cycle <- function(name) subset(svydesign(~survey_psu, strata = ~layer, weights = ~survey_weight, nest = TRUE, data = s[s$site_id == name, ]), in_set == "true")
models <- function(within, site = "") list(linear = regression(as.formula(paste("outcome ~ exposure + age + sex + bmi", site)), within, gaussian()),
  logistic = regression(as.formula(paste("case ~ exposure + age + sex + bmi", site)), within, quasibinomial()))
shares <- list(cycle_a = share(cycle("cycle_a")), cycle_b = share(cycle("cycle_b")))
write(toJSON(list(ancova = linear, rug = rug, curve = curve, gls = gls, fixed = fixed, random = random, response = response, response_joint = joint,
  survey = list(cycle_a = models(cycle("cycle_a")), cycle_b = models(cycle("cycle_b")), one_stage = models(analysed, "+ site_id"), shares = shares)),
  auto_unbox = TRUE, digits = NA), "analysis.json")
