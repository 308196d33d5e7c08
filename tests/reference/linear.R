# Witness of ember.models.linear: lm with sandwich's covariances.   Rscript linear.R
suppressPackageStartupMessages({ library(sandwich); library(jsonlite) })
d <- read.csv("data/trial.csv", stringsAsFactors = TRUE)
f <- outcome ~ age + female + arm * log2crp
one <- function(m) {
  s <- summary(m)
  clustered <- function(type) unname(sqrt(diag(vcovCL(m, cluster = d$site, type = type, cadjust = TRUE))))
  list(names = names(coef(m)), coefficients = unname(coef(m)), classical = unname(s$coefficients[, 2]), sigma = s$sigma,
    df = m$df.residual, log_likelihood = as.numeric(logLik(m)), p_value = unname(s$coefficients[, 4]),
    conf_low = unname(confint(m)[, 1]), conf_high = unname(confint(m)[, 2]),
    hc0 = unname(sqrt(diag(vcovHC(m, "HC0")))), hc1 = unname(sqrt(diag(vcovHC(m, "HC1")))),
    hc2 = unname(sqrt(diag(vcovHC(m, "HC2")))), hc3 = unname(sqrt(diag(vcovHC(m, "HC3")))),
    cr1 = clustered("HC0"), cr1s = clustered("HC1"))
}
fixed <- lm(update(f, . ~ . + site), d)
write(toJSON(list(plain = one(lm(f, d)), weighted = one(lm(f, d, weights = weight)),
  fixed = list(names = names(coef(fixed)), coefficients = unname(coef(fixed)), hc3 = unname(sqrt(diag(vcovHC(fixed, "HC3"))))),
  t_tail = list(t = c(0.5, 3, 12, 40), df = 7, p = 2 * pt(-c(0.5, 3, 12, 40), 7), q = qt(0.975, c(1, 2, 3.5, 11, 4000)))),
  auto_unbox = TRUE, digits = NA), "linear.json")
