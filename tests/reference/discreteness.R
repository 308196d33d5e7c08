# Witness of ember.endotypes.discreteness: metafor's variation ratios, R's kernel density, MAMBAC, factor
# scores, and the likelihoods of one sinh-arcsinh and of two normal components in cells, by optim.
# Rscript discreteness.R
suppressPackageStartupMessages({ library(metafor); library(jsonlite) })
set.seed(5)
groups <- data.frame(m1 = c(4.2, 2.1, 12.5, 0.8), s1 = c(3.9, 1.6, 5.2, 1.1), n1 = c(120, 15, 60, 400),
                     m2 = c(2.9, 2.4, 9.1, 0.7), s2 = c(3.5, 1.2, 6.6, 0.9), n2 = c(95, 12, 75, 380))
ratio <- function(measure) {
  e <- escalc(measure, m1i = m1, sd1i = s1, n1i = n1, m2i = m2, sd2i = s2, n2i = n2, data = groups)
  list(value = as.numeric(e$yi), std_error = sqrt(as.numeric(e$vi)))
}
fixed <- function(measure) { r <- ratio(measure); m <- rma(r$value, r$std_error^2, method = "EE"); list(value = m$b[1], std_error = m$se) }

# Three indicators of 400 people; MAMBAC and the first factor after Ruscio, Haslam and Ruscio (2006).
n <- 400; class <- runif(n) < 0.3
x <- round(matrix(rnorm(3 * n), n) + 1.5 * class, 6); z <- scale(x)
mambac <- function(input, output) {
  sorted <- output[order(input)]
  sapply(round(seq(25, n - 25, length.out = 50)), function(cut) mean(sorted[(cut + 1):n]) - mean(sorted[1:cut]))
}
pairs <- expand.grid(input = 1:3, output = 1:3); pairs <- pairs[pairs$input != pairs$output, ]
curve <- rowMeans(mapply(function(i, o) mambac(z[, i], z[, o]), pairs$input, pairs$output))
r <- cor(z)
for (step in 1:500) { e <- eigen(r); l <- e$vectors[, 1] * sqrt(e$values[1]); if (sum(l) < 0) l <- -l; diag(r) <- l^2 }
score <- as.numeric(scale(z %*% l))
d <- density(score, bw = "nrd0", from = -4, to = 6, n = 101, cut = 0)
exact <- sapply(d$x, function(at) mean(dnorm(at, score, d$bw)))

# Cells of 0.2 SD from -6 to 9; what is below -0.8 is known only to be there.
inner <- round(seq(-6, 9, by = 0.2), 10); inner <- inner[2:(length(inner) - 1)]; limit <- -0.8
cells <- function(y) { f <- y[y >= limit]; list(counts = as.numeric(table(cut(f, c(-Inf, inner, Inf), right = FALSE))), censored = sum(y < limit)) }
told <- function(cdf, data) {
  F <- cdf(inner); p <- pmax(diff(c(0, F, 1)), 1e-12)
  sum(data$counts * log(p)) + data$censored * log(cdf(limit))
}
# Extreme skewness is a limit that the parameters never reach; beyond 50 only the arithmetic changes.
one <- function(p) function(x) if (abs(p[3]) > 50) NA else pnorm(sinh(exp(p[4]) * asinh((x - p[1]) / exp(p[2])) - p[3]))
two <- function(p) { w <- 0.02 + 0.96 * plogis(p[1]); r <- log(3) / 2 * tanh(p[5])
  function(x) w * pnorm(x, p[2], exp(p[4] + r)) + (1 - w) * pnorm(x, p[3], exp(p[4] - r)) }
best <- function(model, starts, data) {
  fits <- lapply(starts, function(s) { o <- optim(s, function(p) { v <- -told(model(p), data); if (is.finite(v)) v else 1e10 }, control = list(maxit = 20000, reltol = 1e-14))
    optim(o$par, function(p) { v <- -told(model(p), data); if (is.finite(v)) v else 1e10 }, control = list(maxit = 20000, reltol = 1e-14)) })
  -min(sapply(fits, `[[`, "value"))
}
samples <- list(skewed = as.numeric(scale(log(rgamma(600, 1.5)))), heavy = rt(600, 4) / sqrt(2),
  two = as.numeric(scale(rnorm(600) + 3 * (runif(600) < 0.3))))
fits <- lapply(samples, function(y) { y <- round(y, 6); data <- cells(y)
  list(y = y, one = best(one, list(c(0, 0, 0, 0), c(0.3, 0, -0.3, 0.1)), data),
    two = best(two, list(c(0, -0.8, 0.8, -0.4, 0), c(1.1, -0.5, 1.4, -0.4, 0), c(-1.1, -1.4, 0.5, -0.4, 0), c(2.6, -0.15, 2.4, -0.4, 0), c(2, 0, 0, 0, -0.5)), data)) })
write(toJSON(list(limit = limit, fits = fits, groups = groups, vr = ratio("VR"), cvr = ratio("CVR"), vr_pooled = fixed("VR"), cvr_pooled = fixed("CVR"),
  x = x, mambac = curve, loadings = l, bandwidth = d$bw, density = exact), auto_unbox = TRUE, digits = NA), "discreteness.json")
