//! The build, and what the process takes of its machine, under the names that all Prometheus clients
//! use.

use std::fmt::Write;
use std::fs;

use crate::telemetry::logs;

/// Linux tells CPU time in hundredths of a second to all programs, whatever the kernel's own clock.
const TICKS_PER_SECOND: f64 = 100.0;

/// Writes the families; what the system does not tell, as outside Linux, is left out.
pub(super) fn write(text: &mut String) {
    let version = env!("CARGO_PKG_VERSION");
    let labels = format!("{{version=\"{version}\"}}");
    let build = ("quota_oracle_build_info", "gauge", "The version that runs");
    put(text, build, &labels, 1.0);
    let lost = (
        "quota_oracle_log_lines_lost",
        "counter",
        "Log lines that could not be written",
    );
    put(text, lost, "", logs::lost_lines() as f64);
    for (family, value) in process() {
        if let Some(value) = value {
            put(text, family, "", value);
        }
    }
}

/// A family's name, type and help.
type Family = (&'static str, &'static str, &'static str);

fn put(text: &mut String, (name, kind, help): Family, labels: &str, value: f64) {
    // A counter's samples carry a suffix that its family does not.
    let suffix = if kind == "counter" { "_total" } else { "" };
    // Writing to a string does not fail.
    let _ = write!(
        text,
        "# HELP {name} {help}.\n# TYPE {name} {kind}\n{name}{suffix}{labels} {value:?}\n"
    );
}

fn process() -> [(Family, Option<f64>); 6] {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name before the parenthesis may hold blanks; the first field after it is the third.
    let stat = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let field =
        |number: usize| -> Option<f64> { stat.split_whitespace().nth(number - 3)?.parse().ok() };
    let cpu = field(14).zip(field(15));
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kib = |name: &str| -> Option<f64> {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        let number: f64 = line.split_whitespace().next()?.parse().ok()?;
        Some(number * 1024.0)
    };
    let boot = fs::read_to_string("/proc/stat").unwrap_or_default();
    let boot = boot.lines().find_map(|line| line.strip_prefix("btime "));
    let boot = boot.and_then(|seconds| seconds.trim().parse::<f64>().ok());
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let limits = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"));
    let max_fds = limits.and_then(|line| line.split_whitespace().next()?.parse().ok());
    let fds = fs::read_dir("/proc/self/fd").ok();
    [
        (
            (
                "process_cpu_seconds",
                "counter",
                "CPU time spent, in seconds",
            ),
            cpu.map(|(user, system)| (user + system) / TICKS_PER_SECOND),
        ),
        (
            ("process_resident_memory_bytes", "gauge", "Memory in use"),
            kib("VmRSS:"),
        ),
        (
            (
                "process_virtual_memory_bytes",
                "gauge",
                "Address space in use",
            ),
            kib("VmSize:"),
        ),
        (
            ("process_open_fds", "gauge", "Open file descriptors"),
            fds.map(|fds| fds.count() as f64),
        ),
        (
            (
                "process_max_fds",
                "gauge",
                "Most file descriptors that may be open",
            ),
            max_fds,
        ),
        (
            (
                "process_start_time_seconds",
                "gauge",
                "When the process started, in Unix time",
            ),
            boot.zip(field(22))
                .map(|(boot, ticks)| boot + ticks / TICKS_PER_SECOND),
        ),
    ]
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn the_process_tells_what_it_takes() {
        let mut text = String::new();
        write(&mut text);
        let value = |name: &str| -> f64 {
            let line = text.lines().find_map(|line| line.strip_prefix(name));
            line.unwrap_or_else(|| panic!("{name} is missing"))
                .trim()
                .parse()
                .unwrap()
        };
        assert!(value("process_resident_memory_bytes ") > 1e6);
        assert!(value("process_open_fds ") >= 3.0);
        assert!(value("process_start_time_seconds ") > 1.7e9);
        assert!(value("process_cpu_seconds_total ") >= 0.0);
        let build = format!(
            "quota_oracle_build_info{{version=\"{}\"}} ",
            env!("CARGO_PKG_VERSION")
        );
        assert_eq!(value(&build), 1.0);
    }
}
