# Witness of ember.models.multiplicity and of the spline basis (Harrell's formula written out for 4 knots).   Rscript small.R
suppressPackageStartupMessages(library(jsonlite))
p <- c(0.01, NA, 0.04, 0.03, 0.005, 0.04, 1, 0.2)
t <- c(-1.5, 0.2, 1.3, 3.4); x <- c(-3, -1.5, -0.4, 0.2, 0.9, 1.3, 2.2, 3.4, 5)
u <- function(v) pmax(v, 0)^3
column <- function(j) (u(x - t[j]) - u(x - t[3]) * (t[4] - t[j]) / (t[4] - t[3]) + u(x - t[4]) * (t[3] - t[j]) / (t[4] - t[3])) / (t[4] - t[1])^2
# The basis spans the natural cubic splines: splines::ns with the same knots must fit the same values.
y <- c(2, 1, 0.5, 1.2, 2.2, 2, 3, 2.5, 4)
fitted_ns <- unname(fitted(lm(y ~ splines::ns(x, knots = t[2:3], Boundary.knots = t[c(1, 4)]))))
values <- c(3.1, 0.2, 7.7, 1.5, 2.8, 9.9, 4.4, 5.0, 6.3, 0.9, 12.5)
write(toJSON(list(p = p, holm = p.adjust(p, "holm"), benjamini_hochberg = p.adjust(p, "BH"), bonferroni = p.adjust(p, "bonferroni"),
  x = x, y = y, knots = t, basis = cbind(x, column(1), column(2)), fitted_ns = fitted_ns, values = values,
  quantiles = unname(quantile(values, c(0.05, 0.35, 0.65, 0.95)))), na = "null", digits = NA), "small.json")
