//! Files of tenants: the object store the settings name, a folder or a bucket, and where in it a tenant's lie.
//!
//! Whoever keeps files keeps them below a folder of its own, as `receipts/`, in the folder that is named after the
//! tenant: an export takes that folder along, an erasure takes it away.

use std::{path::PathBuf, sync::Arc, time::Duration};

use berth_kernel::TenantId;
use object_store::{
    ClientOptions, ObjectStore, RetryConfig, aws::AmazonS3Builder, local::LocalFileSystem,
    path::Path, prefix::PrefixStore,
};
use serde::Deserialize;
use url::Url;

/// Where files are kept.
#[derive(Clone, Debug, Deserialize)]
pub struct StoreSettings {
    /// `file:///folder`, made if it is not there; or `s3://bucket/prefix?region=…`, with
    /// `endpoint=…` for a store that is not Amazon's, `allow_http=true` if that speaks plain
    /// HTTP, and `virtual_hosted_style=true` if it wants the bucket in its host name. The keys
    /// come from the environment, as `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, or from the
    /// machine's own role.
    pub url: String,
}

/// The settings name no object store.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// The text is no URL.
    #[error("`{url}` is no URL")]
    NotUrl {
        /// The text.
        url: String,
        /// What is wrong with it.
        #[source]
        source: url::ParseError,
    },
    /// The URL is of another kind.
    #[error("an object store begins with `file:///` or `s3://`, not with `{0}`")]
    UnknownKind(String),
    /// The URL has an option nobody knows; a misspelt one must not go unseen.
    #[error("`{0}` is no option of an object store")]
    UnknownOption(String),
    /// The folder cannot be made.
    #[error("the folder {} cannot be made", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// The client refuses the settings.
    #[error("the object store's settings are refused")]
    Refused(#[from] object_store::Error),
}

/// Opens the object store. Nothing is asked of a bucket yet.
///
/// # Errors
/// [`StorageError`].
pub fn open(settings: &StoreSettings) -> Result<Arc<dyn ObjectStore>, StorageError> {
    let url = Url::parse(&settings.url).map_err(|source| StorageError::NotUrl {
        url: settings.url.clone(),
        source,
    })?;
    match url.scheme() {
        "file" => folder(&url),
        "s3" => bucket(&url),
        other => Err(StorageError::UnknownKind(other.to_owned())),
    }
}

/// Where a file of a tenant's lies: in a folder named after the tenant. Steps upwards and other tricks
/// in `path` become part of a name there.
#[must_use]
pub fn place(tenant: TenantId, path: &str) -> Path {
    Path::from(format!("{tenant}/{path}"))
}

fn folder(url: &Url) -> Result<Arc<dyn ObjectStore>, StorageError> {
    let path = url
        .to_file_path()
        .map_err(|()| StorageError::UnknownKind(format!("{url}")))?;
    std::fs::create_dir_all(&path).map_err(|source| StorageError::Folder {
        path: path.clone(),
        source,
    })?;
    // A folder whose last file goes, goes too: nothing of an erased tenant is left, not even its id.
    let folder = LocalFileSystem::new_with_prefix(path)?.with_automatic_cleanup(true);
    Ok(Arc::new(folder))
}

fn bucket(url: &Url) -> Result<Arc<dyn ObjectStore>, StorageError> {
    // Refused if the process has one already, which is as good.
    drop(rustls::crypto::ring::default_provider().install_default());
    let mut builder = AmazonS3Builder::from_env()
        .with_url(format!("s3://{}", url.host_str().unwrap_or_default()))
        .with_retry(RetryConfig {
            max_retries: 3,
            retry_timeout: Duration::from_secs(20),
            ..RetryConfig::default()
        });
    let mut client = ClientOptions::new()
        .with_connect_timeout(Duration::from_secs(5))
        .with_timeout(Duration::from_secs(20));
    for (key, value) in url.query_pairs() {
        builder = match key.as_ref() {
            "region" => builder.with_region(value),
            "endpoint" => builder.with_endpoint(value),
            "virtual_hosted_style" => builder.with_virtual_hosted_style_request(value == "true"),
            "allow_http" => {
                client = client.with_allow_http(value == "true");
                builder
            }
            other => return Err(StorageError::UnknownOption(other.to_owned())),
        };
    }
    let store = builder.with_client_options(client).build()?;
    let prefix = url.path().trim_matches('/');
    Ok(if prefix.is_empty() {
        Arc::new(store)
    } else {
        Arc::new(PrefixStore::new(store, prefix))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(url: &str) -> Result<Arc<dyn ObjectStore>, StorageError> {
        open(&StoreSettings {
            url: url.to_owned(),
        })
    }

    #[test]
    fn a_bucket_is_opened_without_asking_it_anything() {
        let url =
            "s3://receipts/demo?region=eu-central-1&endpoint=http://127.0.0.1:9&allow_http=true";
        let store = opened(url).unwrap();
        assert!(store.to_string().contains("demo"), "{store}");
    }

    #[test]
    fn a_file_of_a_tenants_lies_in_its_folder_whatever_its_path_says() {
        let tenant: TenantId = "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap();
        let within = |path| place(tenant, path).to_string();
        let folder = tenant.to_string();
        assert_eq!(within("receipts/1.pdf"), format!("{folder}/receipts/1.pdf"));
        for path in ["../other/1.pdf", "a/../../other/1.pdf", "/etc/passwd", ".."] {
            let place = within(path);
            assert!(place.starts_with(&format!("{folder}/")), "{place}");
            assert!(place.split('/').all(|step| step != ".."), "{place}");
        }
    }

    #[test]
    fn what_is_misspelt_is_refused() {
        assert!(matches!(
            opened("receipts"),
            Err(StorageError::NotUrl { .. })
        ));
        assert!(matches!(
            opened("ftp://host/x"),
            Err(StorageError::UnknownKind(_))
        ));
        assert!(matches!(
            opened("s3://receipts?regoin=eu"),
            Err(StorageError::UnknownOption(option)) if option == "regoin"
        ));
    }
}
