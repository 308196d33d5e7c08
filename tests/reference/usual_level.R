# Witness of ember.endotypes.usual_level: lme4 where nothing is censored, integrate() where something is.   Rscript usual_level.R
suppressPackageStartupMessages({ library(lme4); library(jsonlite) })
RNGkind("Mersenne-Twister", "Inversion", "Rejection"); set.seed(20261124)
draw <- function(people, mean, between, within) {
  number <- sample(1:3, people, replace = TRUE, prob = c(0.5, 0.4, 0.1))
  person <- rep(seq_len(people), number)
  list(person = person, value = round(rnorm(people, mean, between)[person] + rnorm(length(person), 0, within), 8))
}
# 1. no censored sample: maximum likelihood of the random-intercept model
complete <- draw(300, 0.6, 1.0, 0.5)
m <- lmer(value ~ 1 + (1 | person), data.frame(complete), REML = FALSE,
  control = lmerControl(optCtrl = list(xtol_abs = 1e-12, ftol_abs = 1e-14)))
plain <- list(person = complete$person - 1, value = complete$value, mean = unname(fixef(m)),
  between = attr(VarCorr(m)$person, "stddev")[[1]], within = sigma(m), log_likelihood = as.numeric(logLik(m)))

# 2. samples below a limit and above an acute cut, the latter with a share of acute illness
mixed <- draw(120, 0.5, 1.0, 0.6); low <- log(0.6); high <- log(6)
ill <- runif(length(mixed$value)) < 0.12; mixed$value[ill] <- pmax(mixed$value[ill], high + 1)
below <- mixed$value < low; above <- mixed$value > high
value <- ifelse(below, low, ifelse(above, high, mixed$value))
of_person <- function(rows, p, usual) {
  sapply(usual, function(u) prod(ifelse(below[rows], (1 - p$acute) * pnorm((low - u) / p$within),
    ifelse(above[rows], p$acute + (1 - p$acute) * pnorm((u - high) / p$within),
      (1 - p$acute) * dnorm(value[rows], u, p$within)))))
}
over <- function(rows, p, from, to) {
  f <- function(u) of_person(rows, p, u) * dnorm(u, p$mean, p$between)
  ends <- sort(unique(pmin(pmax(c(from, p$mean + p$between * (-9:9), to), from), to)))
  sum(mapply(function(a, b) integrate(f, a, b, rel.tol = 1e-10, abs.tol = 1e-16)$value, head(ends, -1), tail(ends, -1)))
}
log_likelihood <- function(p) sum(sapply(split(seq_along(value), mixed$person), function(rows)
  log(over(rows, p, p$mean - 9 * p$between, p$mean + 9 * p$between))))
at <- list(mean = 0.45, between = 1.1, within = 0.55, acute = 0.04); cut <- log(3)
probability <- unname(sapply(split(seq_along(value), mixed$person), function(rows)
  over(rows, at, cut, at$mean + 9 * at$between) / over(rows, at, at$mean - 9 * at$between, at$mean + 9 * at$between)))
# the search uses a trapezoid on a fine grid, exact to rounding for so smooth a function, and integrate() only above
grid <- seq(-9, 9, length.out = 1501)
fast <- function(p) {
  usual <- p$mean + p$between * grid; weight <- dnorm(grid) * (grid[2] - grid[1])
  told <- function(i) if (below[i]) (1 - p$acute) * pnorm((low - usual) / p$within) else
    if (above[i]) p$acute + (1 - p$acute) * pnorm((usual - high) / p$within) else
    (1 - p$acute) * dnorm(value[i], usual, p$within)
  sum(sapply(split(seq_along(value), mixed$person), function(rows) log(sum(weight * Reduce(`*`, lapply(rows, told))))))
}
stopifnot(abs(fast(at) - log_likelihood(at)) < 1e-8)
best <- optim(c(0.5, 0, log(0.6), qlogis(0.05)), function(x) -fast(list(mean = x[1], between = exp(x[2]),
  within = exp(x[3]), acute = plogis(x[4]))), method = "BFGS", control = list(reltol = 1e-13, maxit = 200))
write(toJSON(list(plain = plain, censored = list(person = mixed$person - 1, value = value, below = which(below) - 1,
  above = which(above) - 1, at = at, cut = cut, log_likelihood = log_likelihood(at), probability = probability,
  best = list(mean = best$par[1], between = exp(best$par[2]), within = exp(best$par[3]), acute = plogis(best$par[4]),
    log_likelihood = -best$value))), auto_unbox = TRUE, digits = NA), "usual_level.json")
