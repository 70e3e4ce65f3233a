//! The names that clouds have for GPUs: `nvidia-h100-80gb`, `gpu-h100-sxm`, `NVIDIA_H100`.
//!
//! The catalog has one name for each model. Another is understood if it is that one with words
//! around it that do not tell models apart.

use super::interner::Interner;

/// A GPU model that a filter names.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct NamedGpu {
    pub(super) number: u32,
    /// Memory of each, in GiB, where the name tells it.
    pub(super) memory_gb: Option<f64>,
}

/// Vendors, product lines and forms; a number may follow those of the last.
const DECORATIONS: [&str; 10] = [
    "nvidia", "amd", "gpu", "tesla", "geforce", "instinct", "pcie", "nvl", "nvlink", "mega",
];
const NUMBERED: [&str; 2] = ["sxm", "hbm"];

/// Sizes are rounded differently, by less than this.
const TOLERANCE_GB: f64 = 1.0;

impl NamedGpu {
    /// Finds the model of a name among those that are known.
    pub(super) fn find(known: &Interner, name: &str) -> Option<Self> {
        if let Some(number) = known.find(name) {
            return Some(Self {
                number,
                memory_gb: None,
            });
        }
        let name = name.to_ascii_lowercase();
        let mut memory_gb = None;
        let mut model = String::new();
        for word in name.split(|c: char| !c.is_ascii_alphanumeric()) {
            match memory(word) {
                Some(gb) => memory_gb = Some(gb),
                None if is_decoration(word) => {}
                None => model.push_str(word),
            }
        }
        let is_model = |text: &str| {
            let plain = text.chars().filter(char::is_ascii_alphanumeric);
            plain.map(|c| c.to_ascii_lowercase()).eq(model.chars())
        };
        let number = known.texts().iter().position(|text| is_model(text))?;
        Some(Self {
            number: number as u32,
            memory_gb,
        })
    }

    /// Whether a GPU of this model and memory is meant.
    pub(super) fn is(&self, number: u32, memory_gb: Option<f64>) -> bool {
        let has = |wanted: f64| memory_gb.is_some_and(|gb| (gb - wanted).abs() < TOLERANCE_GB);
        self.number == number && self.memory_gb.is_none_or(has)
    }
}

fn memory(word: &str) -> Option<f64> {
    let gb = word.strip_suffix("gb").or_else(|| word.strip_suffix('g'))?;
    gb.parse::<u16>().ok().map(f64::from)
}

fn is_decoration(word: &str) -> bool {
    let numbered = |form: &&str| {
        let rest = word.strip_prefix(*form);
        rest.is_some_and(|rest| {
            rest.trim_end_matches('e')
                .chars()
                .all(|c| c.is_ascii_digit())
        })
    };
    DECORATIONS.contains(&word) || NUMBERED.iter().any(numbered)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(name: &str) -> Option<(&'static str, Option<f64>)> {
        let models = [
            "H100",
            "A100",
            "T4",
            "T4g",
            "RTXPRO6000",
            "MI300X",
            "V100",
            "v5litepod-8",
        ];
        let mut known = Interner::default();
        models.iter().for_each(|model| {
            known.intern(model);
        });
        let gpu = NamedGpu::find(&known, name)?;
        Some((models[gpu.number as usize], gpu.memory_gb))
    }

    #[test]
    fn the_names_of_all_clouds_are_understood() {
        for (name, model, memory_gb) in [
            ("h100", "H100", None),
            ("gpu-h100-sxm", "H100", None),
            ("H100-SXM5-80GB", "H100", Some(80.0)),
            ("NVIDIA_H100", "H100", None),
            ("nvidia-h100-mega-80gb", "H100", Some(80.0)),
            ("NVIDIA H100 80GB HBM3", "H100", Some(80.0)),
            ("nvidia-tesla-t4", "T4", None),
            ("t4g", "T4g", None),
            ("Tesla-V100-SXM2-32GB", "V100", Some(32.0)),
            ("A100_NVLINK_40GB", "A100", Some(40.0)),
            ("rtx-pro-6000", "RTXPRO6000", None),
            ("amd-instinct-mi300x", "MI300X", None),
            ("v5litepod-8", "v5litepod-8", None),
        ] {
            assert_eq!(found(name), Some((model, memory_gb)), "{name}");
        }
    }

    #[test]
    fn a_name_that_says_another_model_finds_none() {
        for name in [
            "", "nvidia", "80gb", "h10", "h1000", "gh100", "a100-x", "rtx6000",
        ] {
            assert_eq!(found(name), None, "{name}");
        }
    }

    #[test]
    fn memory_that_a_name_tells_has_to_be_that_of_the_gpu() {
        let gpu = NamedGpu {
            number: 1,
            memory_gb: Some(80.0),
        };
        assert!(gpu.is(1, Some(79.6)));
        assert!(!gpu.is(1, Some(40.0)) && !gpu.is(1, None) && !gpu.is(2, Some(80.0)));
    }
}
