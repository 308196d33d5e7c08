# Witness of ember.endotypes.mixtures without censoring: mclust's EM from a given classification.   Rscript mixture.R
suppressPackageStartupMessages({library(jsonlite); library(mclust)})
data <- read.csv("data/mixture.csv")
x <- as.matrix(data[, 1:3])
control <- emControl(tol = c(1e-15, 1e-15), itmax = c(1e6, 1e6))
fits <- list()
for (model in c("EEI", "VVI", "EEE", "VVV")) for (k in 2:3) {
  fit <- me(x, modelName = model, z = unmap(data[[paste0("start", k)]]), control = control)
  parameters <- fit$parameters
  sigma <- lapply(seq_len(k), function(j) parameters$variance$sigma[, , j])
  fits[[paste(model, k)]] <- list(model = model, classes = k, likelihood = fit$loglik, weights = parameters$pro,
    means = t(parameters$mean), covariances = sigma, bic = -bic(model, fit$loglik, nrow(x), ncol(x), k),
    posterior = fit$z[1:5, ])
}
write(toJSON(list(version = as.character(packageVersion("mclust")), fits = fits), digits = NA, auto_unbox = TRUE), "mixture.json")
