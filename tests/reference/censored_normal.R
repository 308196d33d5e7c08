# Witness of ember.endotypes.composites.censored_normal: survreg with normal errors.   Rscript censored_normal.R
suppressPackageStartupMessages({ library(survival); library(jsonlite) })
RNGkind("Mersenne-Twister", "Inversion", "Rejection"); set.seed(20261124)
one <- function(n, mean, sd, low, high) {
  y <- round(rnorm(n, mean, sd), 6)
  left <- y < low; right <- y > high
  value <- ifelse(left, low, ifelse(right, high, y))
  # interval2: (NA, limit] is left-censored, [limit, NA) right-censored
  response <- Surv(ifelse(left, NA, value), ifelse(right, NA, value), type = "interval2")
  m <- survreg(response ~ 1, dist = "gaussian", control = list(rel.tolerance = 1e-14, maxiter = 200))
  list(value = value, left = which(left) - 1, right = which(right) - 1, mean = unname(coef(m)), sd = m$scale,
    log_likelihood = m$loglik[2])
}
write(toJSON(list(
  complete = one(40, 0.3, 1.1, -Inf, Inf), a_few_below = one(200, 0.3, 1.1, -1.5, Inf),
  half_below = one(150, 0.7, 0.9, 0.7, Inf), most_below = one(120, 0.0, 1.0, 1.1, Inf),
  both_ends = one(180, 1.0, 1.4, 0.2, 2.5), some_above = one(90, 2.0, 0.5, -Inf, 2.4),
  far_from_zero = one(100, 50, 0.01, 49.99, 50.015)), auto_unbox = FALSE, digits = NA), "censored_normal.json")
