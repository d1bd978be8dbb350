//! Lambda Web Adapter with one addition: a function URL is open to everybody, so only a request that brings the secret
//! of this version, as CloudFront does, reaches the service. Everywhere but on Lambda this program is never started.

use bytes::Bytes;
use http_body_util::{Either, Full};
use lambda_http::{
    http::{Response, StatusCode},
    lambda_runtime::tower::Service,
    request::RequestContext,
    Error, Request, RequestExt,
};
use lambda_web_adapter::{Adapter, AdapterOptions};
use std::{
    env,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

/// Names of `contract/serviceAdapter.ts`; a test compares them.
const SECRET_HEADER: &str = "x-veren-origin";
const SECRET_VARIABLE: &str = "VEREN_ORIGIN_SECRET";
const CRON_API_ID: &str = "veren-cron";
/// Of a call by schedule. A visitor's is dropped here, too.
const CRON_HEADER: &str = "x-veren-cron";

#[derive(Clone)]
struct Guarded<S> {
    inner: S,
    secret: Vec<u8>,
}

/// Takes the same time for every secret of one length.
fn is_equal(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |sum, (x, y)| sum | (x ^ y)) == 0
}

/// Lambda makes the context of a function URL's event, so nobody but an authorised invocation has this id.
fn is_by_schedule(request: &Request) -> bool {
    match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV2(context)) => {
            context.apiid.as_deref() == Some(CRON_API_ID)
        }
        _ => false,
    }
}

impl<S, B> Service<Request> for Guarded<S>
where
    S: Service<Request, Response = Response<B>, Error = Error>,
    S::Future: Future<Output = Result<Response<B>, Error>> + Send + 'static,
    B: 'static,
{
    type Response = Response<Either<B, Full<Bytes>>>;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let given = request.headers_mut().remove(SECRET_HEADER);
        let is_known = given.is_some_and(|value| is_equal(value.as_bytes(), &self.secret))
            && !self.secret.is_empty();
        let by_schedule = is_by_schedule(&request);
        if !by_schedule {
            request.headers_mut().remove(CRON_HEADER);
        }
        if !is_known && !by_schedule {
            return Box::pin(async {
                let body = Full::new(Bytes::from_static(b"Use the address of the project.\n"));
                Ok(Response::builder()
                    .status(StatusCode::FORBIDDEN)
                    .header("content-type", "text/plain; charset=utf-8")
                    .body(Either::Right(body))?)
            });
        }
        let answer = self.inner.call(request);
        Box::pin(async move { Ok(answer.await?.map(Either::Left)) })
    }
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    lambda_http::tracing::init_default_subscriber();
    let secret = env::var(SECRET_VARIABLE).unwrap_or_default().into_bytes();
    let mut adapter = Adapter::new(&AdapterOptions::default());
    adapter.register_default_extension();
    adapter.check_init_health().await;
    lambda_http::run_with_streaming_response(Guarded {
        inner: adapter,
        secret,
    })
    .await
}
