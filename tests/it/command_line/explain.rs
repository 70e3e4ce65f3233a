//! `explain`: what an error means, without a service.

use super::{refused, said_by};

#[test]
fn an_error_is_explained_in_a_terminal() {
    let error = "You have requested more vCPU capacity than your current vCPU limit of 96 allows \
                 for the instance bucket that the specified instance type belongs to.";
    let launch = ["--region", "us-east-1", "--instance-type", "p5.48xlarge"];
    let explain = |more: &[&str]| {
        let command = ["explain", "--cloud", "aws", error];
        said_by(&[&command[..], &launch, more].concat())
    };
    let (table, _, code) = explain(&[]);
    assert_eq!(code, 0);
    assert_eq!(
        table,
        "class     quota\n\
         reaches   quota\n\
         region    us-east-1\n\
         market    on_demand\n\
         quota     L-417A185B\n\
         name      Running On-Demand P instances\n\
         limit     96\n\
         transient false\n"
    );
    let (json, _, code) = explain(&["--json"]);
    assert_eq!(code, 0);
    let meaning: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(meaning["scope"]["quota"], "L-417A185B");
}

#[test]
fn what_is_not_understood_says_so() {
    let (table, _, code) = said_by(&["explain", "--cloud", "oci", "it broke"]);
    assert_eq!(code, 0);
    assert!(table.starts_with("class     other\n"), "{table}");
    assert!(table.contains("no line of the cloud's table speaks of this error"));
    let sentence = refused(&["explain", "--cloud", "awz", "it broke"], 2);
    assert!(sentence.contains("did you mean `aws`?"), "{sentence}");
}
