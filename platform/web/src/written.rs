//! Answers written straight into their body.
//!
//! [`Json`](poem_openapi::payload::Json) makes a tree of values first, which for an answer of tens of
//! thousands of them costs more than finding them did.

use std::marker::PhantomData;

use poem::{IntoResponse, Response};
use poem_openapi::{
    ApiResponse,
    payload::{Json, Payload},
    registry::{MetaResponses, MetaSchemaRef, Registry},
    types::{ToJSON, Type},
};

/// JSON that was written by hand; `T` says in the document what it holds.
pub struct Written<T> {
    body: Vec<u8>,
    holds: PhantomData<fn() -> T>,
}

impl<T> Written<T> {
    /// An answer with `body`, the JSON of a `T`. That it is one, a test of whoever writes it shows.
    #[must_use]
    pub fn new(body: Vec<u8>) -> Self {
        let holds = PhantomData;
        Self { body, holds }
    }
}

impl<T: Type> Payload for Written<T> {
    const CONTENT_TYPE: &'static str = Json::<T>::CONTENT_TYPE;

    fn schema_ref() -> MetaSchemaRef {
        T::schema_ref()
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
    }
}

impl<T: Send> IntoResponse for Written<T> {
    fn into_response(self) -> Response {
        Response::builder()
            .content_type("application/json; charset=utf-8")
            .body(self.body)
    }
}

impl<T: ToJSON> ApiResponse for Written<T> {
    fn meta() -> MetaResponses {
        Json::<T>::meta()
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
    }
}
