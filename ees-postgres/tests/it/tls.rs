//! TLS to the database.

use std::path::PathBuf;

use ees_core::adapter::Storage;
use ees_postgres::{OpenError, PostgresConfig, PostgresStorage};
use ees_postgres_testkit::Server;

use crate::support::{commit, until};

/// Makes a certificate that is its own authority, in the server's folder.
const CERTIFY: &str = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \
    -keyout server.key -out server.crt -days 2 -subj /CN=localhost \
    -addext subjectAltName=DNS:localhost -addext basicConstraints=critical,CA:FALSE 2>/dev/null; \
    chmod 600 server.key; cat >/dev/null";

/// A file that goes with the test.
struct File(PathBuf);

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[tokio::test]
async fn a_database_is_reached_by_tls_and_proves_who_it_is() {
    let server = Server::start().unwrap();
    let database = server.database().unwrap();
    database
        .sql(&format!("COPY (SELECT) TO PROGRAM '{CERTIFY}'"))
        .unwrap();
    database.sql("ALTER SYSTEM SET ssl = on").unwrap();
    database.sql("SELECT pg_reload_conf()").unwrap();
    let root = database.sql("SELECT pg_read_file('server.crt')").unwrap();
    let root_file = File(std::env::temp_dir().join(format!("{}.crt", database.name())));
    std::fs::write(&root_file.0, root).unwrap();

    let url = |host: &str, settings: &str| {
        let url = database.url().replace("127.0.0.1", host);
        format!("{url}?sslmode=verify-full{settings}")
    };
    let root = format!("&sslrootcert={}", root_file.0.display());
    let config: PostgresConfig = url("localhost", &root).parse().unwrap();
    let storage = PostgresStorage::open(&config).await.unwrap();
    storage.commit(&commit("s", 0)).await.unwrap();
    let count = |which: &str| {
        let sql = format!(
            "SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
             WHERE application_name = 'ees' AND {which}"
        );
        database.sql(&sql).unwrap().parse::<u32>().unwrap()
    };
    // Who commits, and who listens.
    until(|| count("ssl") >= 2).await;
    assert_eq!(count("NOT ssl"), 0, "every connection");

    for (host, settings) in [("127.0.0.1", root.as_str()), ("localhost", "")] {
        let config: PostgresConfig = url(host, settings).parse().unwrap();
        let error = PostgresStorage::open(&config).await.unwrap_err();
        assert!(matches!(error, OpenError::Unreachable { .. }), "{error}");
        assert!(error.to_string().contains("sslmode"), "{error}");
    }
}
