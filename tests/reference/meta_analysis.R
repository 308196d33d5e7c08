# Witness of ember.models.meta_analysis: metafor on published trials.   Rscript meta_analysis.R
suppressPackageStartupMessages({ library(metafor); library(jsonlite) })
folder <- file.path(Sys.getenv("EMBER_REAL_DATA", "../../../shared/data"), "meta_analysis")
tight <- list(threshold = 1e-14, maxiter = 1000, tol = 1e-14)
one <- function(yi, vi, method, test) {
  m <- rma(yi, vi, method = method, test = test, control = if (method %in% c("REML", "PM")) tight else list()); p <- predict(m)
  c(list(estimate = m$b[1], std_error = m$se, tau2 = m$tau2, i2 = m$I2, q = m$QE, q_p = m$QEp, p_value = m$pval, conf_low = m$ci.lb, conf_high = m$ci.ub,
    weights = unname(weights(m))), if (method != "EE") list(prediction_low = p$pi.lb, prediction_high = p$pi.ub),
    if (method == "REML") list(tau2_se = m$se.tau2, tau2_low = confint(m, control = list(tol = 1e-14))$random[1, 2], tau2_high = confint(m, control = list(tol = 1e-14))$random[1, 3]))
}
all <- function(yi, vi) list(yi = as.numeric(yi), vi = as.numeric(vi), reml = one(yi, vi, "REML", "z"), reml_knha = one(yi, vi, "REML", "knha"),
  reml_adhoc = one(yi, vi, "REML", "adhoc"), dl = one(yi, vi, "DL", "z"), dl_knha = one(yi, vi, "DL", "knha"), pm_knha = one(yi, vi, "PM", "knha"), ee = one(yi, vi, "EE", "z"))
b <- escalc("RR", ai = tpos, bi = tneg, ci = cpos, di = cneg, data = metadat::dat.bcg)
l <- read.csv(file.path(folder, "metadat_dat.linde2005.csv")); l <- l[!is.na(l$ai), ]
l <- escalc("RR", ai = ai, n1i = n1i, ci = ci, n2i = n2i, data = l)
m <- read.csv(file.path(folder, "dmetar_DepressionMortality.csv"))
m <- escalc("RR", ai = event.e, n1i = n.e, ci = event.c, n2i = n.c, data = m)
write(toJSON(list(bcg = all(b$yi, b$vi), linde2005 = all(l$yi, l$vi), depression_mortality = all(m$yi, m$vi),
  homogeneous = all(c(0.10, 0.12, 0.08, 0.11), c(0.04, 0.05, 0.06, 0.03)), two = all(c(0.10, 0.62), c(0.02, 0.03))),
  auto_unbox = TRUE, digits = NA), "meta_analysis.json")
