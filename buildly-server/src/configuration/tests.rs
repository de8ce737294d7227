use super::*;

fn flag(key: &str, value: &str) -> FlagValue {
    FlagValue { flag: format!("--{key}"), key: key.to_owned(), value: value.to_owned() }
}

fn sources(file: &str, environment: &[(&str, &str)], flags: Vec<FlagValue>) -> Result<Sources, Error> {
    let folder = std::env::temp_dir().join(format!("buildly-configuration-{}", uuid::Uuid::now_v7()));
    std::fs::create_dir(&folder).unwrap();
    let path = folder.join("buildly.toml");
    std::fs::write(&path, file).unwrap();
    let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let sources = Sources::gather(Some(&path), environment, flags);
    std::fs::remove_dir_all(&folder).unwrap();
    sources
}

fn load(file: &str, environment: &[(&str, &str)], flags: Vec<FlagValue>) -> Result<Configuration, String> {
    let sources = sources(file, environment, flags).map_err(|error| error.to_string())?;
    Configuration::load(sources).map_err(|error| error.to_string())
}

#[test]
fn flags_win_over_environment_over_file_over_default() {
    let file = "listen = \"file:1\"\ndata_dir = \"file\"\n[limits]\nbody_bytes_max = 1\n";
    let environment = [
        ("BUILDLY_LISTEN", "environment:1"),
        ("BUILDLY_DATA_DIR", "environment"),
        ("PATH", "/bin"),
        ("BUILDLY_SECRET_CRM", "a service's, no setting"),
    ];
    let configuration = load(file, &environment, vec![flag("listen", "flag:1")]).unwrap();
    assert_eq!(configuration.listen, "flag:1");
    assert_eq!(configuration.data_dir, PathBuf::from("environment"));
    assert_eq!(configuration.limits.body_bytes_max, 1);
    assert_eq!(configuration.limits.list_rows_max, 1000);
}

#[test]
fn every_kind_of_value_is_read() {
    let file = r#"
        registration_open = false
        database_url = "postgres://user:hunter2@db/buildly"
        public_url = "https://api.example.org/"
        [tokens]
        algorithm = "EdDSA"
        access_lifetime = "15m"
        [cors]
        origins = ["http://localhost:3000", "https://app.example.org"]
        [log]
        format = "json"
        [limits]
        body_bytes_max = 2_000_000
    "#;
    let configuration =
        load(file, &[("BUILDLY_CORS_ORIGINS", "http://a.example, localhost")], vec![]).unwrap();
    assert!(!configuration.registration_open);
    assert_eq!(configuration.public_url.as_deref(), Some("https://api.example.org"));
    assert_eq!(configuration.tokens.access_lifetime, Duration::from_secs(900));
    assert_eq!(configuration.tokens.algorithm, Algorithm::EdDsa);
    let exact = OriginPattern::Exact("http://a.example".to_owned());
    assert_eq!(configuration.cors.origins, [exact, OriginPattern::Localhost]);
    assert_eq!(configuration.log.format, LogFormat::Json);
    assert_eq!(configuration.limits.body_bytes_max, 2_000_000);
}

#[test]
fn what_is_wrong_is_named_with_its_source_all_at_once() {
    let file = "lisen = \"x\"\n[limits]\nhead_bytes_max = 1\n[smtp]\nportt = 25\n";
    let environment = [("BUILDLY_LIMITS_BODY_TIMEOUT", "soon"), ("BUILDLY_LIMITS_BODY_BYTE_MAX", "1")];
    let error = load(file, &environment, vec![flag("colour", "red")]).unwrap_err();
    for expected in [
        "`lisen`",
        "did you mean `listen`?",
        "did you mean `smtp.port`?",
        "did you mean `BUILDLY_LIMITS_BODY_BYTES_MAX`?",
        "`limits.body_timeout` = `soon` (from BUILDLY_LIMITS_BODY_TIMEOUT): expected a span of time",
        "`limits.head_bytes_max` = `1`: expected at least 8192",
        "there is no setting `colour` (from --colour)",
    ] {
        assert!(error.contains(expected), "{expected}\n{error}");
    }
    assert_eq!(error.lines().count(), 6);
}

#[test]
fn secrets_are_never_shown() {
    let file = "database_url = \"postgres://u:hunter2@db/x\"\n[smtp]\npassword = \"hunter2\"\n";
    let sources = sources(file, &[("BUILDLY_DEPLOYMENT_KEY", "hunter2")], vec![]).unwrap();
    let (configuration, entries) = Configuration::load_with_entries(sources).unwrap();
    let shown = format!("{configuration:?} {entries:?}");
    assert!(!shown.contains("hunter2"), "{shown}");
    let entry = entries.iter().find(|entry| entry.key == "smtp.password").unwrap();
    assert_eq!((entry.shown.as_str(), matches!(entry.source, Source::File(_))), ("[hidden]", true));
}

#[test]
fn a_file_that_is_no_toml_or_not_there_is_refused_by_name() {
    assert!(load("listen = ", &[], vec![]).unwrap_err().contains("buildly.toml"));
    let missing = Sources::gather(Some(std::path::Path::new("/nowhere/x.toml")), [], vec![]).unwrap_err();
    assert!(missing.to_string().starts_with("/nowhere/x.toml: "), "{missing}");
}

#[test]
fn spans_of_time_read_as_they_are_shown() {
    for text in ["500ms", "30s", "15m", "1h", "14d", "90s"] {
        assert_eq!(duration::show(duration::parse(text).unwrap()), text);
    }
    for text in ["", "1", "s", "-1s", "1w", "99999999999999999999d"] {
        assert!(duration::parse(text).is_err(), "{text}");
    }
}

#[test]
fn what_a_command_decides_otherwise_gives_way_to_every_source() {
    let level = |file: &str, environment: &[(&str, &str)], flags| {
        let sources = sources(file, environment, flags).unwrap().with_default("log.level", "warn");
        Configuration::load(sources).unwrap().log.level
    };
    assert_eq!(level("", &[], Vec::new()), "warn");
    assert_eq!(level("log.level = \"debug\"", &[], Vec::new()), "debug");
    assert_eq!(level("", &[("BUILDLY_LOG_LEVEL", "error")], Vec::new()), "error");
    assert_eq!(level("", &[], vec![flag("log.level", "trace")]), "trace");
}

#[test]
fn a_service_of_its_own_is_set_like_everything_else() {
    let environment = [("BUILDLY_SERVICE_JWKS", "keys.json")];
    let configuration = load("service.listen = \"file:1\"", &environment, Vec::new()).unwrap();
    assert_eq!(configuration.service.listen, "file:1");
    assert_eq!(configuration.service.jwks.as_deref(), Some("keys.json"));
    let refused = load("", &[("BUILDLY_SERVICE_JWK", "keys.json")], Vec::new()).unwrap_err();
    assert!(refused.contains("did you mean `BUILDLY_SERVICE_JWKS`?"), "{refused}");
    let refused = load("limits.stop_timeout = \"4s\"", &[], Vec::new()).unwrap_err();
    assert!(refused.contains("expected at least 5s"), "{refused}");
}
