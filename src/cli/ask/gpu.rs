//! GPUs as dstack writes them: `H100`, `H100:8`, `A100:40GB:1..4`, `nvidia:24GB..`.
//!
//! A name, several between commas, or a vendor begins with a letter; an amount with a unit is the
//! memory of each GPU, and one without is how many an instance has. Amounts are ranges, whose ends
//! may be missing; one number alone is both ends.

use crate::cli::output::Error;
use crate::http::OfferFilter;

/// The vendors that a specification may name, as the catalogs write them.
const VENDORS: [&str; 6] = ["nvidia", "amd", "intel", "google", "aws", "tenstorrent"];

/// Gibibytes in the units of memory.
const UNITS: [(&str, f64); 3] = [("TB", 1024.0), ("GB", 1.0), ("MB", 1.0 / 1024.0)];

/// The two ends of a range.
type Ends = (Option<f64>, Option<f64>);

/// Turns the specifications of a filter into its fields.
pub(super) fn spell_out(filter: &mut OfferFilter) -> Result<(), Error> {
    for written in std::mem::take(&mut filter.gpu) {
        let specification = written.replace(' ', "");
        let models = filter.gpu.len();
        for part in specification.split(':') {
            let has_models = filter.gpu.len() > models;
            take(filter, part, has_models, &written)?;
        }
    }
    Ok(())
}

/// Adds a part of the specification `whole` to the filter, whose models may have been said before.
fn take(filter: &mut OfferFilter, part: &str, has_models: bool, whole: &str) -> Result<(), Error> {
    let wrong = |why: &str| {
        Error::Usage(format!(
            "`--gpu {whole}`: {why}; write a model, its memory and its number, such as \
             `--gpu H100:8` or `--gpu A100:40GB:1..4`"
        ))
    };
    if part.starts_with(|first: char| first.is_alphabetic()) {
        for name in part.split(',') {
            let lower = name.to_lowercase();
            match lower.is_empty() {
                true => return Err(wrong("a name is missing")),
                false if VENDORS.contains(&&*lower) => filter.gpu_vendor.push(lower),
                false if has_models => return Err(wrong(&format!("`{part}` is a second model"))),
                false => filter.gpu.push(name.to_owned()),
            }
        }
        return Ok(());
    }
    let is_memory = part.contains(|letter: char| letter.is_alphabetic());
    let ends = match is_memory {
        true => range(part, memory),
        false => range(part, |end| end.parse::<u32>().ok().map(f64::from)),
    };
    let Some((least, most)) = ends else {
        return Err(wrong(&format!("`{part}` is not understood")));
    };
    let is_same = match is_memory {
        true => {
            agree(&mut filter.min_gpu_memory_gb, least)
                && agree(&mut filter.max_gpu_memory_gb, most)
        }
        false => {
            let whole = |end: Option<f64>| end.map(|end| end as u32);
            agree(&mut filter.min_gpu_count, whole(least))
                && agree(&mut filter.max_gpu_count, whole(most))
        }
    };
    match is_same {
        true => Ok(()),
        false => Err(wrong(&format!("`{part}` contradicts another flag"))),
    }
}

/// Sets what is not set; whether it then has that value.
fn agree<T: PartialEq + Copy>(field: &mut Option<T>, value: Option<T>) -> bool {
    match value {
        None => true,
        Some(value) => *field.get_or_insert(value) == value,
    }
}

fn range(text: &str, number: impl Fn(&str) -> Option<f64>) -> Option<Ends> {
    let (least, most) = text.split_once("..").unwrap_or((text, text));
    let end = |text: &str| match text {
        "" => Some(None),
        text => number(text).map(Some),
    };
    match (end(least)?, end(most)?) {
        (None, None) => None,
        (Some(least), Some(most)) if least > most => None,
        ends => Some(ends),
    }
}

fn memory(text: &str) -> Option<f64> {
    let upper = text.to_uppercase();
    UNITS.iter().find_map(|(unit, size)| {
        let number: f64 = upper.strip_suffix(unit)?.parse().ok()?;
        (number.is_finite() && number >= 0.0).then_some(number * size)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn understood(specifications: &[&str]) -> Result<OfferFilter, Error> {
        let mut filter = OfferFilter {
            gpu: specifications.iter().map(|it| (*it).to_owned()).collect(),
            ..OfferFilter::default()
        };
        spell_out(&mut filter).map(|()| filter)
    }

    #[test]
    fn a_specification_of_dstack_becomes_a_filter() {
        let filter = understood(&["H100:8"]).unwrap();
        assert_eq!(filter.gpu, ["H100"]);
        assert_eq!(
            (filter.min_gpu_count, filter.max_gpu_count),
            (Some(8), Some(8))
        );

        let filter = understood(&["nvidia:A100,H100:40gb..:2.."]).unwrap();
        assert_eq!(filter.gpu, ["A100", "H100"]);
        assert_eq!(filter.gpu_vendor, ["nvidia"]);
        assert_eq!(filter.min_gpu_memory_gb, Some(40.0));
        assert_eq!(filter.max_gpu_memory_gb, None);
        assert_eq!(
            (filter.min_gpu_count, filter.max_gpu_count),
            (Some(2), None)
        );

        let filter = understood(&["80GB", "..4"]).unwrap();
        assert_eq!(filter.min_gpu_memory_gb, Some(80.0));
        assert_eq!(filter.max_gpu_memory_gb, Some(80.0));
        assert_eq!(
            (filter.min_gpu_count, filter.max_gpu_count),
            (None, Some(4))
        );

        let filter = understood(&["H100:8", "H200:8"]).unwrap();
        assert_eq!(filter.gpu, ["H100", "H200"]);
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_what_to_write() {
        for specification in [
            "",
            "H100:",
            "H100:8x",
            "H100:8..4",
            "H100:..",
            "A100,:1",
            ":8",
            "H100:-1",
            "H100:x8",
        ] {
            let error = understood(&[specification]).unwrap_err();
            let Error::Usage(sentence) = error else {
                panic!("{specification} is bad usage");
            };
            assert!(sentence.contains("`--gpu H100:8`"), "{sentence}");
        }
        assert!(understood(&["H100:8", "L4:4"]).is_err());
        let mut filter = OfferFilter {
            gpu: vec!["H100:8".to_owned()],
            min_gpu_count: Some(4),
            ..OfferFilter::default()
        };
        assert!(spell_out(&mut filter).is_err());
    }
}
