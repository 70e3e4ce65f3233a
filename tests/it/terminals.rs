//! Texts of clouds are read by people in terminals, and obeyed by no terminal.

use serde_json::{Value, json};
use simulated_clouds::aws::{Fault, FaultKind};

use crate::harness::{AWS_JSON, OtherAws, P, Process, Setup, Words, plain_aws, run};

/// Clears the screen, rings, overwrites the line, reverses it, and ends it.
const HOSTILE: &str = "Running\u{1b}[2J\u{7}\rfree\u{202e}\u{9b}1m\nL-00000000  forged";

/// An AWS whose quotas have a hostile name, and which refuses to tell their usage in
/// hostile words.
fn hostile(parameters: &Value) -> Words {
    let Some(code) = parameters["QuotaCode"].as_str() else {
        let refusal = json!({"__type": "AccessDeniedException", "Message": HOSTILE});
        return (400, AWS_JSON, refusal.to_string());
    };
    let quota = json!({
        "ServiceCode": parameters["ServiceCode"], "QuotaCode": code,
        "QuotaName": HOSTILE, "Value": 96.0,
    });
    (200, AWS_JSON, json!({"Quota": quota}).to_string())
}

#[track_caller]
fn assert_tame(text: &str) {
    let obeyed = |character: char| {
        let reverses = ('\u{202a}'..='\u{202e}').contains(&character);
        (character.is_control() && character != '\n') || reverses
    };
    assert!(!text.contains(obeyed), "{text:?}");
    let forged = text
        .lines()
        .any(|line| line.trim_start().starts_with("L-00000000"));
    assert!(!forged, "{text}");
}

#[tokio::test(start_paused = true)]
async fn tables_show_what_a_terminal_would_obey() {
    let aws = OtherAws::start(hostile).await;
    let service = Setup::at(&aws.url).start().await;
    service.ready().await;
    for path in [
        "/quotas/aws?format=table",
        "/quotas/aws/us-east-1?format=table",
        "/offers?gpu=H100&format=table",
        "/offers?limit=0&region=us-east-1&format=table",
        "/offers?region=x%1b%5b2J&format=table",
        "/leases?format=table",
    ] {
        let answer = service.get(path).await;
        assert_eq!(answer.status, 200, "{path}");
        assert_tame(answer.text());
    }
    let table = service.get("/quotas/aws/us-east-1?format=table").await;
    assert!(
        table.text().contains("Running\\u{1b}[2J"),
        "{}",
        table.text()
    );
    // Programs get what the cloud has said.
    let json = service.get("/quotas/aws/us-east-1").await;
    assert_eq!(json.quota(P)["name"], HOSTILE);
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_show_what_a_terminal_would_obey() {
    let aws = OtherAws::start(hostile).await;
    let file = Setup::at(&aws.url).write();
    let checked = run(&["check", "--config", file.path.to_str().unwrap()], &[]);
    let (printed, said) = (checked.stdout, checked.stderr);
    assert_tame(str::from_utf8(&printed).unwrap());
    assert_tame(str::from_utf8(&said).unwrap());
    assert!(str::from_utf8(&printed).unwrap().contains("\\u{1b}[2J"));

    let (_process, url) = Process::serve(&file.path, &[]).await;
    for command in [
        &["quotas", "aws", "us-east-1"][..],
        &["offers", "--gpu", "H100"],
        &["quotas", "aws", "\u{1b}[2J"],
    ] {
        let asked = run(&[command, &["--url", &url]].concat(), &[]);
        assert_tame(str::from_utf8(&asked.stdout).unwrap());
        assert_tame(str::from_utf8(&asked.stderr).unwrap());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_that_everybody_may_read_are_told_of_once() {
    use std::os::unix::fs::PermissionsExt;
    let aws = plain_aws().await;
    aws.controls().inject(Fault::new(FaultKind::AccessDenied));
    let setup = Setup::new(&aws)
        .token("open", &["read"])
        .token("closed", &["read"]);
    for (name, mode) in [
        ("token-open", 0o644),
        ("token-closed", 0o640),
        ("aws-secret", 0o604),
    ] {
        let permissions = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(setup.path(name), permissions).unwrap();
    }
    let (mut process, url) = Process::serve(&setup.write().path, &[]).await;
    // A refusal leads to the files again.
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    for _ in 0..3 {
        let request = client.get(format!("{url}/quotas")).bearer_auth("unknown");
        assert_eq!(request.send().await.unwrap().status(), 401);
        tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    }
    process.signal("HUP");
    process.line("SIGHUP").await;
    let output = process.output();
    let warned = |name: &str| {
        let lines = output
            .lines()
            .filter(|line| line.contains("everybody on this machine"));
        lines.filter(|line| line.contains(name)).count()
    };
    assert_eq!(warned("token-open"), 1, "{output}");
    assert_eq!(warned("aws-secret"), 1, "{output}");
    assert_eq!(warned("token-closed"), 0, "{output}");
}
