# Witness of ember.models.logistic and ember.models.standardise: glm, sandwich, g-computation by hand.   Rscript logistic.R
suppressPackageStartupMessages({ library(sandwich); library(jsonlite) })
d <- read.csv("data/trial.csv", stringsAsFactors = TRUE)
f <- response ~ age + female + arm * log2crp
tight <- glm.control(epsilon = 1e-15, maxit = 100)
g <- glm(f, binomial, d, control = tight)
w <- suppressWarnings(glm(f, binomial, d, weights = weight, control = tight))
one <- function(m) list(names = names(coef(m)), coefficients = unname(coef(m)), classical = unname(sqrt(diag(vcov(m)))),
  hc0 = unname(sqrt(diag(sandwich(m)))), cr1 = unname(sqrt(diag(vcovCL(m, d$site, type = "HC0", cadjust = TRUE)))),
  deviance = m$deviance)
# Standardised risks: derivatives by central differences of the mean prediction, an independent route to the delta method.
risk <- function(beta, arm) { e <- d; e$arm <- arm; mean(plogis(model.matrix(delete.response(terms(g)), e) %*% beta)) }
people <- function(arm) { e <- d; e$arm <- arm; plogis(model.matrix(delete.response(terms(g)), e) %*% coef(g)) }
slope <- function(h) sapply(seq_along(coef(g)), function(j) { s <- 1e-5 * max(1, abs(coef(g)[j])); u <- l <- coef(g); u[j] <- u[j] + s; l[j] <- l[j] - s; (h(u) - h(l)) / (2 * s) })
difference <- function(b) risk(b, 1) - risk(b, 0); ratio <- function(b) log(risk(b, 1) / risk(b, 0))
se <- function(h) sqrt(drop(t(slope(h)) %*% vcov(g) %*% slope(h)))
# Population (n) variances of each person's risk difference, and of the linearised log ratio.
pv <- function(x) mean((x - mean(x))^2) / length(x)
p0 <- people(0); p1 <- people(1)
write(toJSON(list(plain = one(g), weighted = one(w),
  standardised = list(control = risk(coef(g), 0), treated = risk(coef(g), 1), difference = difference(coef(g)), difference_se = se(difference),
    log_ratio = ratio(coef(g)), log_ratio_se = se(ratio),
    difference_se_super = sqrt(se(difference)^2 + pv(p1 - p0)), log_ratio_se_super = sqrt(se(ratio)^2 + pv(p1 / mean(p1) - p0 / mean(p0))))),
  auto_unbox = TRUE, digits = NA), "logistic.json")
