//! Pages in a browser on the service's own machine: what they may not do where no token is asked
//! for.

use reqwest::Method;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::harness::{Service, Setup, all_calls, plain_aws};

async fn status(service: &Service, method: Method, path: &str, headers: &[(&str, &str)]) -> u16 {
    let mut request = service.request(method, path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    service.send(request).await.status
}

#[tokio::test(start_paused = true)]
async fn a_name_that_was_led_here_reads_nothing() {
    let aws = plain_aws().await;
    let setup = Setup::new(&aws).set("server.hosts", vec!["oracle.example"]);
    let service = setup.start().await;
    service.ready().await;
    // The first fills the cache that the second is answered from.
    for path in [
        "/quotas/aws/us-east-1",
        "/quotas/aws/us-east-1",
        "/offers",
        "/metrics",
        "/",
        "/no-such-route",
    ] {
        let get = async |host| status(&service, Method::GET, path, &[("host", host)]).await;
        let plain = get("localhost").await;
        assert_eq!(get("oracle.example:8080").await, plain, "{path}");
        assert_eq!(get("evil.example").await, 403, "{path}");
        assert_eq!(get("192.0.2.1:8080").await, 403, "{path}");
    }
    let foreign = service.request(Method::GET, "/quotas/aws/us-east-1");
    let foreign = service.send(foreign.header("host", "evil.example")).await;
    let problem = foreign.problem(403, "foreign-host");
    assert!(problem["detail"].as_str().unwrap().contains("server.hosts"));

    // A whole address names its host too.
    let mut stream = TcpStream::connect(service.address()).await.unwrap();
    let asked = "GET http://evil.example/quotas/aws/us-east-1 HTTP/1.1\r\n\
                 host: localhost\r\nconnection: close\r\n\r\n";
    stream.write_all(asked.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
}

#[tokio::test(start_paused = true)]
async fn callers_with_tokens_may_use_any_name() {
    let aws = plain_aws().await;
    let service = Setup::new(&aws).token("reader", &["read"]).start().await;
    let request = service
        .request(Method::GET, "/quotas")
        .bearer_auth("reader");
    let answer = service
        .send(request.header("host", "anything.example"))
        .await;
    assert_eq!(answer.status, 200);
}

#[tokio::test(start_paused = true)]
async fn a_page_of_another_site_spends_no_calls() {
    let aws = plain_aws().await;
    let service = Setup::new(&aws).start().await;
    service.ready().await;
    let before = all_calls(&aws.controls());
    let own = format!("http://{}", service.address());
    let foreign: [&[(&str, &str)]; 5] = [
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site")],
        &[("origin", "http://evil.example")],
        &[("origin", "null")],
        &[("origin", "http://localhost:3000")],
    ];
    for headers in foreign {
        for (method, path) in [
            (Method::POST, "/refresh/aws"),
            (Method::POST, "/refresh/aws/us-east-1"),
            (Method::GET, "/quotas/aws/us-east-1?max_age=0s"),
            (Method::POST, "/offers"),
        ] {
            let seen = status(&service, method, path, headers).await;
            assert_eq!(seen, 403, "{path} {headers:?}");
        }
        // A look costs nothing, and the browser keeps it from the page.
        assert_eq!(status(&service, Method::GET, "/quotas", headers).await, 200);
    }
    assert_eq!(all_calls(&aws.controls()), before);
    let of_its_own: [&[(&str, &str)]; 4] = [
        &[],
        &[("sec-fetch-site", "same-origin"), ("origin", &own)],
        &[("origin", &own)],
        &[("sec-fetch-site", "none")],
    ];
    for headers in of_its_own {
        let seen = status(&service, Method::POST, "/refresh/aws/us-east-1", headers).await;
        assert_eq!(seen, 200, "{headers:?}");
    }
    assert!(all_calls(&aws.controls()) > before);
}

#[tokio::test(start_paused = true)]
async fn pages_run_nothing_foreign_and_are_framed_by_nobody() {
    let aws = plain_aws().await;
    let service = Setup::new(&aws).start().await;
    for path in [
        "/",
        "/page/app.js",
        "/page/style.css",
        "/docs/",
        "/docs/swagger-initializer.js",
        "/docs/swagger-ui.css",
    ] {
        let request = service
            .request(Method::GET, path)
            .header("accept", "text/html");
        let page = service.send(request).await;
        assert_eq!(page.status, 200, "{path}");
        assert_eq!(page.header("x-content-type-options"), "nosniff");
        assert_eq!(page.header("referrer-policy"), "no-referrer");
        assert_eq!(page.header("cache-control"), "no-cache");
        let policy = page.header("content-security-policy");
        assert!(policy.contains("default-src 'none'"), "{policy}");
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
        let scripts = policy.split("; ").find(|it| it.starts_with("script-src"));
        assert!(!scripts.unwrap().contains("unsafe"), "{policy}");
        let text = page.text();
        assert!(!text.contains(" onclick=") && !text.contains("javascript:"));
        if path == "/" {
            assert!(!policy.contains("unsafe"), "{policy}");
            assert!(!text.contains(" style=") && !text.contains("http-equiv"));
        }
    }
}
