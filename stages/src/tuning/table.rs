//! The trials as CSV: one row a trial, for a spreadsheet or a plot.

use std::io::{self, Write};

use super::search::Parameters;
use super::trial::{State, Trial};

/// Writes a header and one row a trial, in order. Numbers have all their digits; what a failed trial does not have is empty.
///
/// # Errors
/// Those of `out`.
pub fn write(trials: &[Trial], folds: usize, out: &mut dyn Write) -> io::Result<()> {
    write!(out, "trial,rank,reg,alpha,max_iter,biases,state,mean,std,iterations,seconds")?;
    (1..=folds).try_for_each(|fold| write!(out, ",fold_{fold}"))?;
    writeln!(out, ",error")?;
    let number = |value: Option<f64>| value.map(|value| value.to_string()).unwrap_or_default();
    for trial in trials {
        let Trial { parameters: Parameters { rank, reg, alpha, max_iter, biases }, iterations, seconds, .. } = trial;
        let state = match trial.state {
            State::Completed => "completed",
            State::Stopped => "stopped",
            State::Failed => "failed",
        };
        let (mean, std) = (number(trial.mean), number(trial.std));
        write!(out, "{},{rank},{reg},{alpha},{max_iter},{biases},{state},{mean},{std},{iterations},{seconds}", trial.number)?;
        (0..folds).try_for_each(|fold| write!(out, ",{}", number(trial.scores.get(fold).copied())))?;
        writeln!(out, ",{}", quoted(trial.error.as_deref().unwrap_or_default()))?;
    }
    Ok(())
}

/// A field as RFC 4180 wants it.
fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_a_trial_with_what_failed_empty_and_quoted() {
        let parameters = Parameters { rank: 8, reg: 0.1, alpha: 1.0, max_iter: 5, biases: false };
        let good = Trial {
            number: 1,
            parameters,
            state: State::Stopped,
            scores: vec![0.5, 1.0],
            mean: Some(0.75),
            std: Some(0.25),
            iterations: 2,
            seconds: 1.5,
            error: None,
        };
        let bad = Trial {
            number: 2,
            state: State::Failed,
            scores: vec![],
            mean: None,
            std: None,
            error: Some("so, \"no\"".to_owned()),
            ..good.clone()
        };
        let mut out = Vec::new();
        write(&[good, bad], 2, &mut out).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "trial,rank,reg,alpha,max_iter,biases,state,mean,std,iterations,seconds,fold_1,fold_2,error\n\
             1,8,0.1,1,5,false,stopped,0.75,0.25,2,1.5,0.5,1,\n\
             2,8,0.1,1,5,false,failed,,,2,1.5,,,\"so, \"\"no\"\"\"\n"
        );
    }
}
