//! The connection to the deployment: plain HTTP or TLS, with or without signatures.

use ees_conformance::subject::{Access, Front};

use crate::address::Url;
use crate::args::{Args, Behind};

/// The connection that the arguments describe.
pub(crate) fn access(url: &Url, args: &Args) -> Result<Access, String> {
    let front = match args.behind {
        None => Front::Nothing,
        Some(Behind::ApiGateway) => Front::ApiGateway,
        Some(Behind::FunctionUrl) => Front::FunctionUrl,
    };
    let access = over_tls(url)?.behind(front);
    if args.aws.sigv4 {
        signed(access, url, args)
    } else {
        Ok(access)
    }
}

/// Whether raw bytes reach the server itself, which they do not through TLS or a gateway.
pub(crate) fn is_direct(url: &Url, args: &Args) -> bool {
    !url.is_tls && !url.has_path && !args.aws.sigv4 && args.behind.is_none()
}

#[cfg(feature = "https")]
fn over_tls(url: &Url) -> Result<Access, String> {
    let access = Access::default();
    if url.is_tls {
        access.over_tls()
    } else {
        Ok(access)
    }
}

#[cfg(not(feature = "https"))]
fn over_tls(url: &Url) -> Result<Access, String> {
    if url.is_tls {
        return Err(
            "this build does not support TLS: build it with --features cli,https".to_owned(),
        );
    }
    Ok(Access::default())
}

#[cfg(feature = "sigv4")]
fn signed(access: Access, url: &Url, args: &Args) -> Result<Access, String> {
    use ees_conformance::subject::Signer;

    let (Some(id), Some(secret)) = (&args.aws.access_key_id, &args.aws.secret_access_key) else {
        return Err(
            "--sigv4 needs AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and at least one is not \
             set; `eval \"$(aws configure export-credentials --format env)\"` sets them"
                .to_owned(),
        );
    };
    let region = args.aws.region.clone().or_else(|| region_in(url));
    let region = region.ok_or("--sigv4 needs a region: --aws-region or AWS_REGION")?;
    let token = args.aws.session_token.clone();
    let mut signer = Signer::new(id, secret, token, region);
    if args.behind == Some(Behind::FunctionUrl) {
        signer = signer.for_function_url();
    }
    Ok(access.signed(signer))
}

#[cfg(not(feature = "sigv4"))]
fn signed(_access: Access, _url: &Url, _args: &Args) -> Result<Access, String> {
    Err("this build cannot sign requests: build it with --features cli,https,sigv4".to_owned())
}

/// The region in `https://ID.execute-api.REGION.amazonaws.com` or in
/// `https://ID.lambda-url.REGION.on.aws`.
#[cfg(feature = "sigv4")]
fn region_in(url: &Url) -> Option<String> {
    let names = [
        (".execute-api.", ".amazonaws.com"),
        (".lambda-url.", ".on.aws"),
    ];
    names.iter().find_map(|(before, after)| {
        let (_, rest) = url.as_str().split_once(before)?;
        let (region, _) = rest.split_once(after)?;
        Some(region.to_owned())
    })
}

#[cfg(all(test, feature = "sigv4"))]
mod tests {
    use super::*;

    #[test]
    fn a_gateways_name_tells_its_region() {
        let url = Url::parse("https://abc.execute-api.eu-west-1.amazonaws.com/Prod");
        let region = region_in(&url.unwrap());
        assert_eq!(region.as_deref(), Some("eu-west-1"));
        let url = Url::parse("https://abc.lambda-url.eu-west-2.on.aws/");
        let region = region_in(&url.unwrap());
        assert_eq!(region.as_deref(), Some("eu-west-2"));
    }
}
