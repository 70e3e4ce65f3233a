//! Mistakes that the real cloud of kind `aws` finds, reported like all others.

use super::*;

/// Returns the sentence with which a backend with these lines is refused.
fn refusal(lines: &str) -> String {
    let text = format!("[[backends]]\nkind = 'aws'\n{lines}");
    match Folder::with(&text).load_for(REGISTRY, &[]) {
        Ok(_) => panic!("accepted: {text}"),
        Err(sentence) => sentence,
    }
}

#[test]
fn an_override_speaks_of_launches_and_names_a_quota() {
    let no_quota = |text: &str| {
        format!(
            "`{text}` names no quota: write its code, such as `L-C4BD4855`, or `service/code` if \
             it is not EC2's"
        )
    };
    let at = |key: &str, claim: String| {
        format!(
            "quota-oracle.toml:5:{}: `backends[0].quota_overrides.{key}`: {claim}",
            key.len() + 4
        )
    };
    let long = format!("L-{}", "1".repeat(127));
    for (key, value, claim) in [
        ("\"p6-b200@spot\"", "", no_quota("")),
        ("\"p6-b200@spot\"", "ec2/", no_quota("ec2/")),
        ("\"p6-b200@spot\"", "/L-C4BD4855", no_quota("/L-C4BD4855")),
        ("\"p6-b200@spot\"", "ec2/all", no_quota("ec2/all")),
        ("\"p6-b200@spot\"", "L_C4BD4855", no_quota("L_C4BD4855")),
        ("p6-b200", "4-C4BD4855", no_quota("4-C4BD4855")),
        ("p6-b200", "L-1/2/3", no_quota("L-1/2/3")),
        ("p6-b200", &long, no_quota(&long)),
        (
            "\"p6-b200@preemptible\"",
            "L-C4BD4855",
            "`preemptible` is no market: write `@spot`, or `@on_demand`, which is also meant \
             without either"
                .to_owned(),
        ),
        (
            "\"p5.48xlarge.big\"",
            "L-C4BD4855",
            "`p5.48xlarge.big` is neither an instance family such as `p5` nor a type such as \
             `p5.48xlarge`"
                .to_owned(),
        ),
        (
            "\"p6-b200@spot\"",
            "ebs/L-7A658B76",
            "`ebs/L-7A658B76` counts bytes, and launches are counted in vCPUs: write the code of \
             a vCPU quota, such as `L-C4BD4855`"
                .to_owned(),
        ),
        (
            "p6-b200",
            "L-0263D0A3",
            "`L-0263D0A3` counts addresses, and launches are counted in vCPUs: write the code of \
             a vCPU quota, such as `L-C4BD4855`"
                .to_owned(),
        ),
        (
            "\"@spot\"",
            "L-C4BD4855",
            "`` is neither an instance family such as `p5` nor a type such as `p5.48xlarge`"
                .to_owned(),
        ),
        (
            "\"g5@spot\"",
            "L-C4BD4855",
            "another key speaks of the same launches".to_owned(),
        ),
    ] {
        let lines =
            format!("[backends.quota_overrides]\n\"G5@spot\" = 'L-3819A6DF'\n{key} = '{value}'");
        assert_eq!(refusal(&lines), at(key, claim));
    }
    assert_eq!(
        refusal("quota_overrides = { p5 = 5 }"),
        "quota-oracle.toml:3:26: `backends[0].quota_overrides.p5` must be a string, not `5`"
    );
    assert_eq!(
        refusal("quota_overrides = 'p5'"),
        "quota-oracle.toml:3:19: `backends[0].quota_overrides` must be a table such as \
         { \"p6-b200@spot\" = \"L-C4BD4855\" }, not a string"
    );
}

#[test]
fn more_quotas_are_named_by_service_and_code() {
    for text in ["ebs", "ebs/", "/all", "e bs/L-7A658B76", "ebs/L-7A658B76 "] {
        assert_eq!(
            refusal(&format!("quotas = ['vpc/all', '{text}']")),
            format!(
                "quota-oracle.toml:3:22: `backends[0].quotas[1]`: `{text}` is not `service/code` \
                 such as `ebs/L-7A658B76`, or `service/all`"
            )
        );
    }
}

#[test]
fn a_region_that_is_not_read_is_not_read_at_start() {
    assert_eq!(
        refusal("preload = ['us-east-1', 'eu-wets-1']"),
        "quota-oracle.toml:3:25: `backends[0].preload[1]` is `eu-wets-1`, which is not among the \
         `regions`; did you mean `eu-west-1`?"
    );
    // An account has to opt in to it, so that it is not among the default ones.
    let sentence = refusal("preload = ['me-central-1']");
    assert!(
        sentence.contains("`me-central-1`, which is not among the `regions`"),
        "{sentence}"
    );
    let all = "[[backends]]\nkind = 'aws'\nregions = 'all'\npreload = ['me-central-1']\n\
               [[backends]]\nkind = 'nebius'\npreload = ['eu-north1']\n\
               credentials = { source = 'metadata' }";
    Folder::with(all).load_for(REGISTRY, &[]).unwrap();
}

#[test]
fn the_answers_in_the_aws_protocol_are_keys_of_aws_alone() {
    let sentence = refusal("aws_protocol = { valu = 'applied' }");
    let expected = "quota-oracle.toml:3:18: unknown key `valu` in `aws_protocol` of [[backends]]; did you \
                    mean `value`?";
    assert_eq!(sentence, expected);
    for (key, column, kinds) in [
        ("aws_protocol = { value = 'headroom' }", 16, "`aws`"),
        ("usage = 'off'", 9, "`aws`, `gcp`"),
    ] {
        let text = format!("[[backends]]\nkind = 'nebius'\n{key}");
        let sentence = Folder::with(&text).load_for(REGISTRY, &[]).unwrap_err();
        let name = key.split(' ').next().unwrap();
        let expected = format!(
            "quota-oracle.toml:3:{column}: `backends[0].{name}` is for backends of kind {kinds}"
        );
        assert_eq!(sentence, expected);
    }
}
