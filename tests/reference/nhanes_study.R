# Witness of the shipped NHANES study.   python -m tests.reference.nhanes_study_extract TABLE.csv && Rscript nhanes_study.R TABLE.csv
suppressPackageStartupMessages({ library(survey); library(jsonlite) })
d <- read.csv(commandArgs(TRUE)[1]); d <- d[d$weight > 0, ]
d$case <- as.numeric(d$phq9 >= 10)
d$band <- ifelse(d$crp > 10, "acute_suspect", ifelse(d$crp > 3, "inflamed_single", ifelse(d$crp >= 1, "intermediate", "not_inflamed")))
d$complete <- d$age >= 20 & !is.na(d$phq9) & !is.na(d$crp) & !is.na(d$bmi)
d$x <- NA  # log2 hsCRP, centred at the weighted mean of the cycle's rows in the analysis
for (k in c("F", "I")) { i <- d$cycle == k; j <- i & d$complete; d$x[i] <- log2(d$crp[i]) - weighted.mean(log2(d$crp[j]), d$weight[j]) }
design <- function(d, w) svydesign(~psu, strata = ~interaction(cycle, stratum, drop = TRUE), weights = w, nest = TRUE, data = d)
both <- design(d, d$weight / 2)
tight <- glm.control(epsilon = 1e-15, maxit = 100)
model <- function(s, f, family) { m <- suppressWarnings(svyglm(f, s, family = family, control = tight)); list(estimate = unname(coef(m)["x"]), std_error = unname(sqrt(vcov(m)["x", "x"])), df = m$df.residual, n = length(resid(m))) }
share <- function(s, v) { p <- svyciprop(v, s, method = "logit"); list(estimate = unname(coef(p)[1]), std_error = sqrt(attr(p, "var")[1]), conf_low = unname(attr(p, "ci")[1]), conf_high = unname(attr(p, "ci")[2])) }
out <- list(linear = model(subset(both, complete), phq9 ~ x + age + male + bmi + cycle, gaussian()), logistic = model(subset(both, complete), case ~ x + age + male + bmi + cycle, quasibinomial()))
for (k in c("F", "I")) { s <- design(d[d$cycle == k, ], d$weight[d$cycle == k]); adult <- subset(s, age >= 20 & !is.na(phq9)); measured <- subset(s, age >= 20 & !is.na(crp))
  out[[k]] <- list(linear = model(subset(s, complete), phq9 ~ x + age + male + bmi, gaussian()), logistic = model(subset(s, complete), case ~ x + age + male + bmi, quasibinomial()), prevalence = share(adult, ~case),
    bands = sapply(c("not_inflamed", "intermediate", "inflamed_single", "acute_suspect"), function(b) { measured$variables$hit <- as.numeric(measured$variables$band == b); share(measured, ~hit) }, simplify = FALSE)) }
write(toJSON(out, auto_unbox = TRUE, digits = NA), "nhanes_study.json")
