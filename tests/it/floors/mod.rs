//! The floors of `src/`: holds the source to the tables of docs/architecture.md, and refuses files
//! that use each other in a circle. Borders between crates need no test: cargo keeps them.

mod self_tests;
mod source;

use std::collections::{BTreeMap, BTreeSet};

use petgraph::{algo::tarjan_scc, graphmap::DiGraphMap};
use source::{Source, Use};
use walkdir::WalkDir;

#[test]
fn the_source_keeps_to_the_tables_of_the_document() {
    let document = include_str!("../../../docs/architecture.md");
    let violations = Sources::of_crate().violations(document);
    assert!(violations.is_empty(), "{violations:#?}");
}

#[test]
fn no_file_uses_another_in_a_circle() {
    let circles = Sources::of_crate().circles();
    assert!(circles.is_empty(), "{circles:#?}");
}

/// The files of a crate by their modules.
struct Sources(BTreeMap<String, Source>);

impl Sources {
    fn of_crate() -> Self {
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/src");
        let files = WalkDir::new(root)
            .into_iter()
            .map(|entry| entry.unwrap().into_path());
        let files = files.filter(|path| path.extension().is_some_and(|end| end == "rs"));
        let sources = Self::of(files.map(|path| {
            let file = path.strip_prefix(root).unwrap().to_str().unwrap();
            Source::parse(file, &std::fs::read_to_string(&path).unwrap())
        }));
        assert!(sources.0.len() > 50, "only {} files", sources.0.len());
        sources
    }

    fn of(sources: impl Iterator<Item = Source>) -> Self {
        Self(
            sources
                .map(|source| (source.module.clone(), source))
                .collect(),
        )
    }

    /// Returns one line for each use that the tables of the document forbid.
    fn violations(&self, document: &str) -> BTreeSet<String> {
        let (floors, left_to) = (table(document, "| folder |"), table(document, "| path |"));
        let floor = |name: &str| floors.iter().position(|(folder, _)| *folder == name);
        let forbids = |source: &Source, used: &Use| {
            let name = |path: &str| path.split("::").nth(1).unwrap_or_default().to_owned();
            let (folder, target) = (name(&source.module), name(&used.path));
            let granted = floor(&folder).map_or(&[][..], |own| &floors[own].1);
            let is_granted = granted.contains(&target.as_str()) || granted == ["*"];
            let is_below = floor(&target) < floor(&folder) && is_granted;
            let path = format!("{}::", used.path);
            let rule = left_to
                .iter()
                .find(|(name, _)| path.starts_with(&format!("{name}::")));
            let is_in = |place: &&str| source.file.starts_with(*place) || used.in_test;
            path.starts_with("crate::") && target != folder && !is_below
                || rule.is_some_and(|(_, places)| !places.iter().any(is_in))
        };
        let violations = self.0.values().flat_map(|source| {
            let forbidden = source.uses.iter().filter(|used| forbids(source, used));
            forbidden.map(|used| format!("{} may not use {}", source.file, used.path))
        });
        violations.collect()
    }

    /// Returns each set of files that use each other in a circle, by the lines of what they use.
    ///
    /// A parent's `mod` lines and re-exports of its children are no uses, and tests are left out.
    fn circles(&self) -> Vec<Vec<String>> {
        let mut graph: DiGraphMap<&str, &str> = DiGraphMap::new();
        for source in self.0.values() {
            for Use {
                path, is_reexport, ..
            } in source.uses.iter().filter(|used| !used.in_test)
            {
                let module = self.definition(path, 0).unwrap_or(&source.module);
                let is_passed_on = *is_reexport && module.starts_with(&source.module);
                if module != source.module && !is_passed_on {
                    graph.add_edge(&source.file, &self.0[module].file, path);
                }
            }
        }
        let circle = |files: Vec<&str>| -> Vec<String> {
            let edges = graph
                .all_edges()
                .filter(|(from, to, _)| files.contains(from) && files.contains(to));
            edges
                .map(|(from, to, path)| format!("{from} uses {to} by {path}"))
                .collect()
        };
        let circles = tarjan_scc(&graph).into_iter().map(circle);
        circles.filter(|lines| !lines.is_empty()).collect()
    }

    /// Returns the module that defines what a path leads to, through imports on the way.
    fn definition(&self, path: &str, followed: usize) -> Option<&str> {
        let mut module = path;
        while !self.0.contains_key(module) {
            (module, _) = module.rsplit_once("::")?;
        }
        let (module, source) = self.0.get_key_value(module)?;
        let name = path[module.len()..].split("::").nth(1).unwrap_or_default();
        // Imports in a circle are no Rust; the bound keeps a mistake here from hanging.
        match source
            .imported(name)
            .filter(|path| path.starts_with("crate::") && followed < 8)
        {
            Some(path) => self.definition(&path, followed + 1),
            None => Some(module),
        }
    }
}

/// Returns the names in the first cell of each row of a table, each with those in the second.
fn table<'a>(document: &'a str, start: &str) -> Vec<(&'a str, Vec<&'a str>)> {
    let (_, rows) = document
        .split_once(start)
        .expect("the document has this table");
    let rows = rows
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with('|'));
    let names = |cell: &'a str| cell.split('`').skip(1).step_by(2);
    let cells = rows.map(|row| row.split('|').collect::<Vec<_>>());
    cells
        .flat_map(|cells| names(cells[1]).map(move |name| (name, names(cells[2]).collect())))
        .collect()
}
