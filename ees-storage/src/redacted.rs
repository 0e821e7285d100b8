//! URLs as everyone may see them.

/// A URL without its password, for logs and messages. A URL that is written wrongly is handled too.
pub fn redacted(url: &str) -> String {
    if url.starts_with("sqlite:") {
        return url.to_owned();
    }
    let (scheme, place) = url.split_at(url.find("://").map_or(0, |at| at + 3));
    // `USER:PASSWORD@HOST`; a password may hold whatever else parts a URL.
    let (user, place) = place.rsplit_once('@').unwrap_or(("", place));
    let user = match user.split_once([':', '/', '?']) {
        Some((name, _)) => format!("{name}:***@"),
        None if user.is_empty() => String::new(),
        None => format!("{user}@"),
    };
    let (place, settings) = place.split_once('?').unwrap_or((place, ""));
    let settings = settings
        .split('&')
        .map(|setting| match setting.split_once('=') {
            Some((name, _)) if name.eq_ignore_ascii_case("password") => format!("{name}=***"),
            _ => setting.to_owned(),
        });
    let settings = settings.collect::<Vec<_>>().join("&");
    let shown = format!("{scheme}{user}{place}?{settings}");
    shown.trim_end_matches('?').to_owned()
}

#[cfg(test)]
mod tests {
    use super::redacted;

    #[test]
    fn nobody_sees_a_password() {
        for (url, seen) in [
            ("sqlite:./a:b@c", "sqlite:./a:b@c"),
            ("postgres://h/d", "postgres://h/d"),
            ("postgres://u@h:5432/d", "postgres://u@h:5432/d"),
            ("postgres://u:p@h:5432/d", "postgres://u:***@h:5432/d"),
            (
                "postgres://u:p@:x@h/d?readers=2",
                "postgres://u:***@h/d?readers=2",
            ),
            ("postgres://u:p?q&r@h/d", "postgres://u:***@h/d"),
            ("postgrse://u:p/q:x@h/d", "postgrse://u:***@h/d"),
            ("postgres:u:p@h/d", "postgres:***@h/d"),
            (
                "postgres://h/d?Password=p?q&sslmode=off",
                "postgres://h/d?Password=***&sslmode=off",
            ),
            ("postgres://h/d?user=u&password=p@x", "postgres://h:***@x"),
            ("dynamodb://t?endpoint=http://u:p@h", "dynamodb://t:***@h"),
            (
                "postgresql://u:p@h/d?schema=s",
                "postgresql://u:***@h/d?schema=s",
            ),
            (
                "postgres:///d?user=u&password=p&host=h",
                "postgres:///d?user=u&password=***&host=h",
            ),
        ] {
            assert_eq!(redacted(url), seen);
        }
    }
}
