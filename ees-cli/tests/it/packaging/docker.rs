//! The container. No container runs here: the commands and settings of its files are run with the
//! program.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use super::packaging;
use crate::process::{Ees, ees, ended, run};

fn compose() -> Value {
    let text = fs::read_to_string(packaging("docker/compose.yaml")).expect("a file");
    serde_yaml_ng::from_str(&text).expect("YAML")
}

/// The arguments of an instruction of the Dockerfile: the last one that has the name.
fn instruction(name: &str) -> String {
    let text = fs::read_to_string(packaging("docker/Dockerfile")).expect("a file");
    let found = text.lines().rev().find_map(|line| line.strip_prefix(name));
    found.unwrap_or_else(|| panic!("{name}")).trim().to_owned()
}

/// A command of the Dockerfile: `["/usr/bin/ees", "check"]`.
fn command(text: &str) -> Vec<String> {
    let list = &text[text.find('[').expect("a list")..];
    serde_json::from_str(list).expect("a list of strings")
}

/// The settings that the image has.
fn image_settings() -> HashMap<String, String> {
    let settings = instruction("ENV ");
    let settings = settings.split_whitespace();
    let settings = settings.map(|setting| setting.split_once('=').expect("NAME=VALUE"));
    settings
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// The settings that compose gives to the server.
fn composed_settings() -> HashMap<String, String> {
    let composed = compose();
    let composed = composed["services"]["ees"]["environment"].clone();
    let composed: HashMap<String, String> = serde_json::from_value(composed).expect("strings");
    let mut settings = image_settings();
    settings.extend(composed);
    settings
}

/// What the image starts, with these settings.
fn started(settings: &HashMap<String, String>) -> Command {
    assert_eq!(command(&instruction("ENTRYPOINT ")), ["/usr/bin/ees"]);
    let arguments = command(&instruction("CMD "));
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let mut command = ees(&arguments);
    command.envs(settings);
    command
}

#[test]
fn the_image_is_not_open_unless_it_is_told_to_be() {
    assert_eq!(instruction("USER "), "65532:65532");
    // The storage cannot be opened: the settings are right, and nothing listens.
    let nowhere = (
        "EES_STORAGE".to_owned(),
        "sqlite:/nowhere/ees.db".to_owned(),
    );
    let mut settings = image_settings();
    settings.extend([nowhere.clone()]);
    let (code, _, errors) = ended(started(&settings));
    assert_eq!(code, Some(2), "{errors}");
    assert!(
        errors.contains("can be reached from other machines"),
        "{errors}"
    );
    let folder = TempDir::new().expect("a folder");
    let keys = folder.path().join("keys.toml");
    fs::write(&keys, "# none\n").expect("a file");
    let mut settings = composed_settings();
    settings.extend([nowhere, ("EES_KEYS".to_owned(), keys.display().to_string())]);
    let (code, _, errors) = ended(started(&settings));
    assert_eq!(
        code,
        Some(3),
        "the settings of compose are accepted: {errors}"
    );
}

#[test]
fn the_health_check_finds_the_server() {
    let server = Ees::serve("memory:");
    let check = command(&instruction("HEALTHCHECK "));
    assert_eq!(check[0], "/usr/bin/ees");
    let arguments: Vec<_> = check[1..].iter().map(String::as_str).collect();
    let listen = image_settings()["EES_LISTEN"].clone();
    assert!(
        listen.ends_with(":8080"),
        "{listen} is where the check asks"
    );
    let mut command = ees(&arguments);
    command.env("EES_URL", format!("http://{}", server.address()));
    let (code, _, errors) = ended(command);
    assert_eq!(code, Some(0), "{errors}");
    drop(server);
    let mut command = ees(&arguments);
    command.env("EES_URL", "http://127.0.0.1:1");
    assert_eq!(ended(command).0, Some(1));
}

#[test]
fn compose_names_what_exists_and_opens_loopback_alone() {
    let (_, help, _) = run(&["serve", "--help"]);
    for name in composed_settings()
        .keys()
        .filter(|name| name.starts_with("EES_"))
    {
        assert!(
            help.contains(&format!("[env: {name}")),
            "{name} is a setting"
        );
    }
    let compose = compose();
    let services = compose["services"].as_object().expect("services");
    let list = |service: &Value, name: &str| -> Vec<String> {
        serde_json::from_value(service[name].clone()).unwrap_or_default()
    };
    for (name, service) in services {
        for port in list(service, "ports") {
            assert!(port.starts_with("127.0.0.1:"), "{name}: {port}");
        }
        if let Some(image) = service["image"].as_str() {
            assert!(
                image.contains(':') && !image.ends_with(":latest"),
                "{image}"
            );
        }
        for volume in list(service, "volumes") {
            let (source, _) = volume.split_once(':').expect("SOURCE:TARGET");
            let is_file = source.starts_with('.') && source != "./keys";
            let file = packaging("docker").join(source);
            assert!(!is_file || file.is_file(), "{name}: {source} exists");
        }
    }
    let config = packaging("docker/prometheus.yml");
    let config = fs::read_to_string(config).expect("a file");
    let metrics = &composed_settings()["EES_METRICS_LISTEN"];
    let (_, port) = metrics.rsplit_once(':').expect("a port");
    assert!(config.contains(&format!("\"ees:{port}\"")), "{config}");
    let folder = TempDir::new().expect("a folder");
    for file in ["docker/prometheus.yml", "prometheus/alerts.yml"] {
        let name = Path::new(file).file_name().expect("a name");
        fs::copy(packaging(file), folder.path().join(name)).expect("a copy");
    }
    let mut promtool = Command::new("promtool");
    promtool
        .args(["check", "config"])
        .arg(folder.path().join("prometheus.yml"));
    let (code, stdout, stderr) = ended(promtool);
    assert_eq!(code, Some(0), "{stdout}{stderr}");
}

#[cfg(unix)]
#[test]
fn what_compose_needs_is_prepared_once() {
    use std::os::unix::fs::PermissionsExt;

    let folder = TempDir::new().expect("a folder");
    let prepare = folder.path().join("prepare");
    fs::copy(packaging("docker/prepare"), &prepare).expect("a copy");
    let mode = |name: &str| {
        let about = fs::metadata(folder.path().join(name)).expect("a file");
        about.permissions().mode() & 0o777
    };
    assert_eq!(ended(Command::new(&prepare)).0, Some(0));
    let passwords = fs::read_to_string(folder.path().join(".env")).expect("a file");
    let text = fs::read_to_string(packaging("docker/compose.yaml")).expect("a file");
    for line in passwords.lines() {
        let (name, password) = line.split_once('=').expect("NAME=VALUE");
        assert_eq!(password.len(), 48, "{line}");
        assert!(text.contains(&format!("${{{name}:?")), "{name} is used");
    }
    let keys = folder.path().join("keys/keys.toml").display().to_string();
    let add = [
        "keys", "add", "--file", &keys, "--name", "a", "--right", "read",
    ];
    let (code, _, errors) = run(&add);
    assert_eq!(code, Some(0), "{errors}");
    assert_eq!(ended(Command::new(&prepare)).0, Some(0));
    let again = fs::read_to_string(folder.path().join(".env")).expect("a file");
    assert_eq!(again, passwords, "nothing is replaced");
    assert!(
        fs::read_to_string(&keys)
            .expect("a file")
            .contains("name = \"a\"")
    );
    assert_eq!((mode(".env"), mode("keys/keys.toml")), (0o600, 0o644));
}
