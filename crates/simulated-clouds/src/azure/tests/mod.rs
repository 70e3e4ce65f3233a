//! The simulated Azure as its clients see it: over a socket, by plain HTTP.

mod faults;
mod lists;
mod sign_in;

use reqwest::{Client, Response};
use serde_json::Value;

use super::*;

/// A simulation and a client that is signed in.
struct Story {
    azure: SimulatedAzure,
    client: Client,
    token: String,
}

/// An answer that was read.
struct Answer {
    status: u16,
    headers: reqwest::header::HeaderMap,
    body: Value,
}

impl Answer {
    async fn read(response: Response) -> Self {
        Self {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: response.json().await.unwrap_or_default(),
        }
    }

    /// The status and the code of a refusal.
    fn refusal(&self) -> (u16, &str) {
        let code = &self.body["error"]["code"];
        (self.status, code.as_str().unwrap_or_default())
    }

    fn rows(&self) -> &[Value] {
        self.body["value"].as_array().unwrap()
    }

    fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }
}

impl Story {
    async fn new(settings: Settings) -> Self {
        let azure = SimulatedAzure::start(settings).await.unwrap();
        let client = Client::builder().no_proxy().build().unwrap();
        let mut story = Self {
            azure,
            client,
            token: String::new(),
        };
        story.token = story.sign_in().await;
        story
    }

    async fn sign_in(&self) -> String {
        let answer = self.ask_token(&[("client_secret", CLIENT_SECRET)]).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body["access_token"].as_str().unwrap().to_owned()
    }

    /// Asks the authority for a token, with these fields besides those of everybody, or instead.
    async fn ask_token(&self, fields: &[(&str, &str)]) -> Answer {
        let mut form = std::collections::BTreeMap::from([
            ("client_id", CLIENT_ID),
            ("grant_type", "client_credentials"),
            ("scope", "https://management.azure.com/.default"),
        ]);
        form.extend(fields.iter().copied());
        let mut body = form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(form);
        let url = format!("{}/{TENANT_ID}/oauth2/v2.0/token", self.azure.url());
        let request = self.client.post(url).body(body.finish());
        Answer::read(request.send().await.unwrap()).await
    }

    async fn get(&self, path: &str) -> Answer {
        let url = match path.starts_with("http") {
            true => path.to_owned(),
            false => format!("{}/subscriptions/{SUBSCRIPTION_ID}{path}", self.azure.url()),
        };
        let request = self.client.get(url).bearer_auth(&self.token);
        Answer::read(request.send().await.unwrap()).await
    }

    async fn usages(&self, location: &str) -> Answer {
        self.get(&usages_path(location)).await
    }
}

fn usages_path(location: &str) -> String {
    format!("/providers/Microsoft.Compute/locations/{location}/usages?api-version=2024-07-01")
}

fn skus_path(location: &str) -> String {
    format!(
        "/providers/Microsoft.Compute/skus?api-version=2021-07-01&$filter=location eq '{location}'"
    )
}
