# Witness of the survey estimators on NHANES 2015-16.   python nhanes_extract.py TABLE.csv && Rscript nhanes.R TABLE.csv
suppressPackageStartupMessages({ library(survey); library(jsonlite) })
d <- read.csv(commandArgs(TRUE)[1]); d <- d[d$weight > 0, ]
d$log2crp <- log2(d$crp)
tight <- glm.control(epsilon = 1e-15, maxit = 100)
s <- svydesign(~psu, strata = ~stratum, weights = ~weight, nest = TRUE, data = d)
adult <- subset(s, age >= 18 & !is.na(case)); measured <- subset(s, age >= 18 & !is.na(case) & !is.na(crp))
proportion <- function(f, s) { p <- svyciprop(f, s, method = "logit"); list(estimate = unname(coef(p)[1]), std_error = sqrt(attr(p, "var")[1]), conf_low = unname(attr(p, "ci")[1]), conf_high = unname(attr(p, "ci")[2]), df = degf(s)) }
fit <- function(f, family) { m <- suppressWarnings(svyglm(f, adult, family = family, control = tight)); list(coefficients = unname(coef(m)), std_errors = unname(sqrt(diag(vcov(m)))), df = m$df.residual, n = length(resid(m)), p_value = unname(summary(m)$coefficients[, 4])) }
mean_of <- function(f, s) { m <- svymean(f, s); list(estimate = unname(coef(m)), std_error = unname(SE(m))[1]) }
write(toJSON(list(n_adult = nrow(adult$variables), n_measured = nrow(measured$variables), prevalence = proportion(~case, adult),
  high_crp = proportion(~I(crp > 3), measured), women = proportion(~case, subset(adult, female == 1)), phq9 = mean_of(~phq9, adult),
  linear = fit(phq9 ~ log2crp + age + female + bmi, gaussian()), logistic = fit(case ~ log2crp + age + female + bmi, quasibinomial())),
  auto_unbox = TRUE, digits = NA), "nhanes.json")
