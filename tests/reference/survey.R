# Witness of ember.models.survey and ember.models.survey_regression.   Rscript survey.R
suppressPackageStartupMessages({ library(survey); library(jsonlite) })
d <- read.csv("data/survey.csv"); d$one <- 1
tight <- glm.control(epsilon = 1e-15, maxit = 100)
design <- function(rows) svydesign(~psu, strata = ~stratum, weights = ~weight, nest = TRUE, data = rows)
fit <- function(formula, s, family) { m <- suppressWarnings(svyglm(formula, s, family = family, control = tight)); ci <- confint(m)
  list(coefficients = unname(coef(m)), std_errors = unname(sqrt(diag(vcov(m)))), df = m$df.residual,
    p_value = unname(summary(m)$coefficients[, 4]), conf_low = unname(ci[, 1]), conf_high = unname(ci[, 2])) }
mean_of <- function(m, s) list(estimate = unname(coef(m)), std_error = unname(sqrt(diag(as.matrix(vcov(m))))), conf_low = confint(m, df = degf(s))[1], conf_high = confint(m, df = degf(s))[2], df = degf(s))
all <- function(s) {
  seen <- subset(s, !is.na(crp)); p <- svyciprop(~case, s, method = "logit"); r <- svyratio(~score, ~age, s)
  list(mean = mean_of(svymean(~score, s), s), mean_missing = mean_of(svymean(~crp, seen), seen),
    proportion = list(estimate = unname(coef(p)[1]), std_error = sqrt(attr(p, "var")[1]), conf_low = unname(attr(p, "ci")[1]), conf_high = unname(attr(p, "ci")[2])),
    ratio = list(estimate = coef(r)[[1]], std_error = sqrt(r$var[1])),
    linear = fit(score ~ crp + age, s, gaussian()), logistic = fit(case ~ crp + age, s, quasibinomial()))
}
sound <- d[d$stratum != 8, ]
adult <- function(s) subset(s, age >= 18); one_stratum <- function(s) subset(s, stratum %in% c(1, 2) & age >= 18)
options(survey.lonely.psu = "fail")
out <- list(full = all(design(sound)), adult = all(adult(design(sound))), old = all(subset(design(sound), age >= 70)))
options(survey.lonely.psu = "adjust"); out$adjust <- all(adult(design(d)))
options(survey.lonely.psu = "certainty"); out$certainty <- all(adult(design(d)))
out$unclustered <- mean_of(svymean(~score, u <- svydesign(~1, weights = ~weight, data = d)), u)
write(toJSON(out, auto_unbox = TRUE, digits = NA), "survey.json")
