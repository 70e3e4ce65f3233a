//! The older text format of Prometheus, 0.0.4, out of OpenMetrics 1.0.
//!
//! They differ in how families are described. OpenMetrics describes a counter by its name without
//! `_total`, and an info without `_info`; readers of the older format look for the name that the
//! samples have, and take samples without a description for untyped.

/// Returns the text in the format that scrapers know which do not ask for OpenMetrics.
pub fn in_plain_text(open_metrics: &str) -> String {
    let mut plain = String::with_capacity(open_metrics.len() + 1024);
    // The help of a family comes before its type, which tells the name of the samples.
    let mut help: Option<(&str, &str)> = None;
    for line in open_metrics.lines() {
        if let Some(described) = line.strip_prefix("# HELP ") {
            help = Some(described.split_once(' ').unwrap_or((described, "")));
        } else if let Some((family, kind)) = typed(line) {
            let (ending, kind) = match kind {
                "counter" => ("_total", "counter"),
                "info" => ("_info", "gauge"),
                "stateset" => ("", "gauge"),
                "unknown" => ("", "untyped"),
                kind => ("", kind),
            };
            let ending = match family.ends_with(ending) {
                true => "",
                false => ending,
            };
            if let Some((_, help)) = help.take().filter(|(of, _)| *of == family) {
                plain.extend(["# HELP ", family, ending, " ", help, "\n"]);
            }
            plain.extend(["# TYPE ", family, ending, " ", kind, "\n"]);
        } else if !line.starts_with("# UNIT ") && line != "# EOF" {
            plain.extend([line, "\n"]);
        }
    }
    plain
}

fn typed(line: &str) -> Option<(&str, &str)> {
    line.strip_prefix("# TYPE ")?.split_once(' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptions_have_the_names_of_their_samples() {
        let open_metrics = "# HELP calls Calls of \"it\".\n# TYPE calls counter\n\
                            calls_total{to=\"# TYPE a b\"} 1\n\
                            # HELP build Release.\n# TYPE build info\nbuild_info{v=\"1\"} 1\n\
                            # HELP wait_seconds Wait.\n# TYPE wait_seconds histogram\n\
                            # UNIT wait_seconds seconds\nwait_seconds_sum 0.0\n\
                            # TYPE bare unknown\nbare 1\n# EOF\n";
        let plain = "# HELP calls_total Calls of \"it\".\n# TYPE calls_total counter\n\
                     calls_total{to=\"# TYPE a b\"} 1\n\
                     # HELP build_info Release.\n# TYPE build_info gauge\nbuild_info{v=\"1\"} 1\n\
                     # HELP wait_seconds Wait.\n# TYPE wait_seconds histogram\n\
                     wait_seconds_sum 0.0\n\
                     # TYPE bare untyped\nbare 1\n";
        assert_eq!(in_plain_text(open_metrics), plain);
    }
}
