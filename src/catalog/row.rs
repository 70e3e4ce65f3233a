//! One row of gpuhunt's CSV format, as text and as numbers.

use csv::StringRecord;

use crate::model::PriceBasis;

/// The positions of the columns that the catalog needs or can use.
#[derive(Debug)]
pub(super) struct Columns {
    instance_name: usize,
    location: usize,
    price: usize,
    cpu: usize,
    memory: usize,
    gpu_count: usize,
    gpu_name: usize,
    gpu_memory: usize,
    spot: usize,
    gpu_vendor: Option<usize>,
    price_basis: Option<usize>,
}

impl Columns {
    /// The columns of a file with this first row, or a sentence that names the missing one.
    pub(super) fn find(header: &StringRecord) -> Result<Self, String> {
        let optional = |name: &str| header.iter().position(|column| column == name);
        let needed = |name: &str| {
            optional(name).ok_or_else(|| format!("it has no column {name}, which is needed"))
        };
        Ok(Self {
            instance_name: needed("instance_name")?,
            location: needed("location")?,
            price: needed("price")?,
            cpu: needed("cpu")?,
            memory: needed("memory")?,
            gpu_count: needed("gpu_count")?,
            gpu_name: needed("gpu_name")?,
            gpu_memory: needed("gpu_memory")?,
            spot: needed("spot")?,
            gpu_vendor: optional("gpu_vendor"),
            price_basis: optional("price_basis"),
        })
    }
}

/// A valid row.
#[derive(Debug, PartialEq)]
pub(super) struct Row<'a> {
    pub(super) instance_type: &'a str,
    pub(super) region: &'a str,
    pub(super) price: Option<f64>,
    pub(super) price_basis: PriceBasis,
    pub(super) cpus: Option<u32>,
    pub(super) memory_gb: Option<f64>,
    pub(super) gpu: Option<RowGpu<'a>>,
    pub(super) spot: bool,
}

/// The GPUs of a row.
#[derive(Debug, PartialEq)]
pub(super) struct RowGpu<'a> {
    pub(super) name: &'a str,
    pub(super) count: u32,
    pub(super) memory_gb: Option<f64>,
    pub(super) vendor: &'a str,
}

impl<'a> Row<'a> {
    /// The row of a record, or a sentence that says what is damaged.
    pub(super) fn read(columns: &Columns, record: &'a StringRecord) -> Result<Self, String> {
        let field = |column| record.get(column).unwrap_or_default();
        let optional = |column: Option<usize>| column.map(field).filter(|text| !text.is_empty());

        let price = amount("price", field(columns.price))?;
        let price_basis = match optional(columns.price_basis) {
            None if price.is_some() => PriceBasis::Listed,
            None => PriceBasis::Unknown,
            Some(word) => word
                .parse()
                .map_err(|_| format!("price_basis is not a known word: {word:?}"))?,
        };
        // A price of unknown origin is treated as unknown.
        let (price, price_basis) = match price {
            Some(price) if price_basis != PriceBasis::Unknown => (Some(price), price_basis),
            _ => (None, PriceBasis::Unknown),
        };

        let gpu = match whole("gpu_count", field(columns.gpu_count))? {
            None | Some(0) => None,
            Some(count) => {
                let name = present("gpu_name", field(columns.gpu_name))?;
                let (name, vendor) = model_and_vendor(name, optional(columns.gpu_vendor));
                Some(RowGpu {
                    name,
                    count,
                    memory_gb: amount("gpu_memory", field(columns.gpu_memory))?,
                    vendor,
                })
            }
        };

        Ok(Self {
            instance_type: present("instance_name", field(columns.instance_name))?,
            region: present("location", field(columns.location))?,
            price,
            price_basis,
            // No machine is without a processor, so zero stands for unknown.
            cpus: whole("cpu", field(columns.cpu))?.filter(|cpus| *cpus > 0),
            memory_gb: amount("memory", field(columns.memory))?,
            gpu,
            spot: truth("spot", field(columns.spot))?,
        })
    }
}

/// The model of a GPU, and who made it.
///
/// Catalogs from before there was a column for it imply NVIDIA, and mark Google's TPUs by their
/// name; gpuhunt reads them so.
fn model_and_vendor<'a>(name: &'a str, vendor: Option<&'a str>) -> (&'a str, &'a str) {
    match name.strip_prefix("tpu-") {
        Some(model) if !model.is_empty() => (model, vendor.unwrap_or("google")),
        _ => (name, vendor.unwrap_or("nvidia")),
    }
}

fn present<'a>(column: &str, text: &'a str) -> Result<&'a str, String> {
    if text.is_empty() {
        return Err(format!("{column} is empty"));
    }
    Ok(text)
}

fn whole(column: &str, text: &str) -> Result<Option<u32>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    text.parse()
        .map(Some)
        .map_err(|_| format!("{column} is not a whole number of at least 0: {text:?}"))
}

fn amount(column: &str, text: &str) -> Result<Option<f64>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() && number >= 0.0 => Ok(Some(number)),
        _ => Err(format!("{column} is not a number of at least 0: {text:?}")),
    }
}

fn truth(column: &str, text: &str) -> Result<bool, String> {
    if text.eq_ignore_ascii_case("true") {
        Ok(true)
    } else if text.eq_ignore_ascii_case("false") {
        Ok(false)
    } else {
        Err(format!("{column} is neither true nor false: {text:?}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: [&str; 11] = [
        "instance_name",
        "location",
        "price",
        "cpu",
        "memory",
        "gpu_count",
        "gpu_name",
        "gpu_memory",
        "spot",
        "gpu_vendor",
        "price_basis",
    ];

    fn columns(names: &[&str]) -> Columns {
        Columns::find(&StringRecord::from(names.to_vec())).unwrap()
    }

    fn record(fields: [&str; 11]) -> StringRecord {
        StringRecord::from(fields.to_vec())
    }

    #[test]
    fn a_row_is_read_whole() {
        let record = record([
            "p5.48xlarge",
            "us-east-1",
            "55.04",
            "192",
            "2048.0",
            "8",
            "H100",
            "80.0",
            "False",
            "nvidia",
            "estimated",
        ]);
        let row = Row::read(&columns(&HEADER), &record).unwrap();
        let gpu = row.gpu.unwrap();
        assert_eq!((row.cpus, row.memory_gb), (Some(192), Some(2048.0)));
        assert_eq!((gpu.name, gpu.count, gpu.vendor), ("H100", 8, "nvidia"));
        assert_eq!(
            (row.price, row.price_basis),
            (Some(55.04), PriceBasis::Estimated)
        );
    }

    #[test]
    fn what_is_empty_is_unknown_or_absent() {
        let record = record([
            "m5.large",
            "us-east-1",
            "",
            "",
            "",
            "",
            "",
            "",
            "True",
            "",
            "",
        ]);
        let row = Row::read(&columns(&HEADER), &record).unwrap();
        assert_eq!((row.cpus, row.memory_gb, row.gpu), (None, None, None));
        assert_eq!((row.price, row.price_basis), (None, PriceBasis::Unknown));
    }

    #[test]
    fn without_a_vendor_it_is_the_one_that_old_catalogs_imply() {
        let gpu = |name, vendor| {
            let record = record([
                "a", "b", "1", "2", "8", "1", name, "80", "false", vendor, "",
            ]);
            [&HEADER[..], &HEADER[..9]].map(|names| {
                let gpu = Row::read(&columns(names), &record).unwrap().gpu.unwrap();
                format!("{} {}", gpu.vendor, gpu.name)
            })
        };
        assert_eq!(gpu("H100", ""), ["nvidia H100"; 2]);
        assert_eq!(gpu("tpu-v5p", ""), ["google v5p"; 2]);
        assert_eq!(gpu("MI300X", "amd"), ["amd MI300X", "nvidia MI300X"]);
    }

    #[test]
    fn zero_cpus_are_unknown() {
        let record = record(["a", "b", "1", "0", "8", "0", "", "", "false", "", ""]);
        assert_eq!(Row::read(&columns(&HEADER), &record).unwrap().cpus, None);
    }

    #[test]
    fn a_count_of_zero_gpus_is_none_whatever_their_name() {
        let record = record(["a", "b", "1", "2", "8", "0", "H100", "80", "false", "", ""]);
        assert_eq!(Row::read(&columns(&HEADER), &record).unwrap().gpu, None);
    }

    #[test]
    fn without_the_column_a_price_is_listed_and_a_missing_one_unknown() {
        let old = columns(&HEADER[..9]);
        let basis = |price| {
            let record = record(["a", "b", price, "2", "8", "0", "", "", "false", "", ""]);
            Row::read(&old, &record).unwrap().price_basis
        };
        assert_eq!(
            [basis("1.5"), basis("")],
            [PriceBasis::Listed, PriceBasis::Unknown]
        );
    }

    #[test]
    fn a_damaged_field_is_named() {
        let columns = columns(&HEADER);
        let whole = ["a", "b", "1", "2", "8", "1", "H100", "80", "false", "", ""];
        for (field, text, sentence) in [
            (0, "", "instance_name is empty"),
            (2, "-1", "price is not a number of at least 0: \"-1\""),
            (2, "NaN", "price is not a number of at least 0: \"NaN\""),
            (3, "1.5", "cpu is not a whole number of at least 0: \"1.5\""),
            (6, "", "gpu_name is empty"),
            (8, "maybe", "spot is neither true nor false: \"maybe\""),
            (
                10,
                "guessed",
                "price_basis is not a known word: \"guessed\"",
            ),
        ] {
            let mut fields = whole;
            fields[field] = text;
            let error = Row::read(&columns, &record(fields)).unwrap_err();
            assert_eq!(error, sentence);
        }
    }
}
