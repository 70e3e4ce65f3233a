//! The floors of `src/`: holds the source to the tables of docs/architecture.md, and refuses files
//! that use each other in a circle. Borders between crates need no test: cargo keeps them.

mod self_tests;
mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use petgraph::{algo::tarjan_scc, graphmap::DiGraphMap};

use source::{Names, Source};

/// Folders in which files still use each other in circles, until those are cut.
const NOT_YET_CUT: [&str; 3] = ["clouds/", "http/", "oracle/"];

/// Functions that read or change the environment.
const ENVIRONMENT: [&str; 6] = ["var", "vars", "var_os", "vars_os", "set_var", "remove_var"];

#[test]
fn the_source_keeps_to_the_tables_of_the_document() {
    let sources = Sources::of_crate();
    let document = include_str!("../../../docs/architecture.md");
    let violations = sources.violations(document);
    assert!(violations.is_empty(), "{violations:#?}");
    for (folder, _) in floors(document) {
        let exists = sources.0.keys().any(|module| module[1..] == [folder]);
        assert!(exists, "the table names `{folder}`, which is not in src/");
    }
}

#[test]
fn no_file_uses_another_in_a_circle() {
    let mut circles = Sources::of_crate().circles();
    let is_in = |circle: &[String], folder| circle.iter().all(|line| line.starts_with(folder));
    for folder in NOT_YET_CUT {
        let needed = circles.iter().any(|circle| is_in(circle, folder));
        assert!(needed, "take {folder} out of NOT_YET_CUT: it has no circle");
        circles.retain(|circle| !is_in(circle, folder));
    }
    let circles: Vec<_> = circles.iter().map(|lines| lines.join("\n")).collect();
    assert!(circles.is_empty(), "\n{}\n", circles.join("\n\n"));
}

/// Each file of the crate by its module.
struct Sources(BTreeMap<Names, (String, Source)>);

impl Sources {
    fn of_crate() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let (mut files, mut folders) = (Vec::new(), vec![root.clone()]);
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).expect("the sources are readable") {
                let path = entry.expect("the sources are readable").path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|end| end == "rs") {
                    let file = path.strip_prefix(&root).expect("it is below the root");
                    let text = fs::read_to_string(&path).expect("the sources are readable");
                    files.push((file.display().to_string(), text));
                }
            }
        }
        assert!(files.len() > 50, "only {} files were found", files.len());
        files.retain(|(file, _)| file != "lib.rs" && file != "main.rs");
        Self::parse(files)
    }

    fn parse(files: impl IntoIterator<Item = (String, String)>) -> Self {
        let parsed = files.into_iter().map(|(file, text)| {
            let source = Source::parse(&file, &text);
            (source.module.clone(), (file, source))
        });
        Self(parsed.collect())
    }

    /// Returns one line for each use that the tables of the document forbid.
    fn violations(&self, document: &str) -> BTreeSet<String> {
        let (floors, crates) = (
            floors(document),
            table(document, "| crates | named only in |"),
        );
        let mut violations = BTreeSet::new();
        for (file, source) in self.0.values() {
            let folder = source.module[1].as_str();
            let allowed = floors
                .iter()
                .find(|(name, _)| *name == folder)
                .map(|(_, allowed)| allowed);
            for used in &source.uses {
                let path = source.resolve(used);
                let forbidden = if path[0] == "crate" {
                    let target = path.get(1).map_or("crate", String::as_str);
                    if target == folder {
                        self.is_sibling(&source.module, &path)
                    } else {
                        !allowed.is_some_and(|allowed| allowed.contains(&target))
                    }
                } else {
                    let reads = |pair: &[String]| {
                        pair[0] == "env" && ENVIRONMENT.contains(&pair[1].as_str())
                    };
                    let name = if path.windows(2).any(reads) {
                        "std::env"
                    } else {
                        &path[0]
                    };
                    let owners = crates.iter().find(|(names, _)| names.contains(&name));
                    let is_in = |owner: &&str| {
                        source.module[1..]
                            .starts_with(&owner.split('/').map(str::to_owned).collect::<Vec<_>>())
                    };
                    !used.in_test && owners.is_some_and(|(_, owners)| !owners.iter().any(is_in))
                };
                if forbidden {
                    violations.insert(format!("{file} may not use {}", path.join("::")));
                }
            }
        }
        violations
    }

    /// Whether a path leads from one cloud's folder into another's, which the kit is none of.
    fn is_sibling(&self, module: &[String], path: &[String]) -> bool {
        let is_folder =
            |part: &&[String]| self.0.keys().any(|it| it.len() > 3 && it.starts_with(part));
        let part = |path: &'_ [String]| path.get(..3).filter(is_folder).map(<[_]>::to_vec);
        let other = part(path).filter(|other| other[1] == "clouds" && other[2] != "kit");
        part(module)
            .zip(other)
            .is_some_and(|(own, other)| own != other)
    }

    /// Returns each set of files that use each other in a circle, by the lines of what they use.
    ///
    /// A parent's `mod` lines and re-exports of its children are no uses, and tests are left out.
    fn circles(&self) -> Vec<Vec<String>> {
        let mut graph: DiGraphMap<&str, String> = DiGraphMap::new();
        for (file, source) in self.0.values() {
            for used in source.uses.iter().filter(|used| !used.in_test) {
                let path = source.resolve(used);
                let module = self.definition(&path, 0);
                let passed_on = used.is_reexport && module.starts_with(&source.module);
                if let Some((other, _)) = self
                    .0
                    .get(&module)
                    .filter(|(other, _)| other != file && !passed_on)
                {
                    graph.add_edge(file, other, path.join("::"));
                }
            }
        }
        let mut circles = tarjan_scc(&graph);
        circles.retain(|files| files.len() > 1);
        let lines = |files: Vec<&str>| {
            let edges = graph
                .all_edges()
                .filter(|(from, to, _)| files.contains(from) && files.contains(to));
            edges
                .map(|(from, to, path)| format!("{from} uses {to} by {path}"))
                .collect()
        };
        circles.into_iter().map(lines).collect()
    }

    /// Returns the module that defines what a path leads to, through imports on the way.
    fn definition(&self, path: &[String], followed: usize) -> Names {
        let known = (1..=path.len())
            .rev()
            .find(|length| self.0.contains_key(&path[..*length]));
        let module = &path[..known.unwrap_or(0)];
        let name = path.get(module.len());
        let import = self
            .0
            .get(module)
            .zip(name)
            .and_then(|((_, source), name)| source.imported(name));
        // Imports in a circle are no Rust; the bound keeps a mistake here from hanging.
        match import.filter(|import| import[0] == "crate" && followed < 8) {
            Some(import) => self.definition(&import, followed + 1),
            None => module.to_vec(),
        }
    }
}

/// Returns each folder with those that it may use, which stand in rows above its own.
fn floors(document: &str) -> Vec<(&str, Vec<&str>)> {
    let mut floors: Vec<(&str, Vec<&str>)> = Vec::new();
    for (folders, mut allowed) in table(document, "| folder | may use |") {
        let above: Vec<&str> = floors.iter().map(|(name, _)| *name).collect();
        allowed.retain(|name| !name.contains('/'));
        if allowed == ["*"] {
            allowed.clone_from(&above);
        }
        for name in &allowed {
            assert!(
                above.contains(name),
                "{folders:?} may not use `{name}`, which is not above"
            );
        }
        floors.extend(folders.iter().map(|folder| (*folder, allowed.clone())));
    }
    floors
}

/// Returns the names in the first two cells of each row of the table that begins like this.
fn table<'a>(document: &'a str, start: &str) -> Vec<(Vec<&'a str>, Vec<&'a str>)> {
    let (_, rows) = document
        .split_once(start)
        .expect("the document has this table");
    let rows = rows
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with('|'));
    let names = |cell: &'a str| cell.split('`').skip(1).step_by(2).collect();
    rows.map(|row| row.split('|').skip(1).map(names))
        .map(|mut cells| (cells.next().unwrap(), cells.next().unwrap()))
        .collect()
}
