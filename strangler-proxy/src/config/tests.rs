use super::*;

const MINIMAL: &str = "[upstreams]\ncontrol = \"http://127.0.0.1:1\"\ncandidate = \"http://127.0.0.1:2\"\n";

fn parse(text: &str) -> Result<Config, ConfigError> {
    Config::parse(Path::new("strangler.toml"), text, &Overrides::default())
}

fn refused(text: &str) -> String {
    parse(text).expect_err("it was taken").to_string()
}

fn initial() -> String {
    template(&"http://127.0.0.1:1".parse().unwrap(), &"http://127.0.0.1:2".parse().unwrap())
}

#[test]
fn what_init_writes_parses_to_the_defaults() {
    let written = parse(&initial()).unwrap();
    assert_eq!(format!("{written:?}"), format!("{:?}", parse(MINIMAL).unwrap()));
}

/// A default that is written in the comments and is not the default would mislead.
#[test]
fn every_default_that_init_shows_is_the_default() {
    let mut shown = 0;
    let active = initial().lines().fold(String::new(), |mut text, line| {
        let setting =
            line.strip_prefix('#').filter(|rest| rest.starts_with(|c: char| c.is_ascii_lowercase()));
        shown += usize::from(setting.is_some());
        text.push_str(setting.unwrap_or(line));
        text.push('\n');
        text
    });
    assert!(shown > 20, "only {shown} settings were found");
    assert_eq!(format!("{:?}", parse(&active).unwrap()), format!("{:?}", parse(MINIMAL).unwrap()));
}

/// The file that init writes is the reference: what can be written stands in it.
#[test]
fn every_key_that_is_taken_stands_in_what_init_writes() {
    let reference = initial();
    let keys = |table: &str| -> Vec<String> {
        let told = refused(&format!("{table}\nno-such-key = 1\n"));
        let (_, expected) =
            told.split_once("unknown key `no-such-key`, expected ").unwrap_or_else(|| panic!("{told}"));
        let expected = expected.split("; did you mean").next().unwrap_or(expected);
        expected.split('`').skip(1).step_by(2).map(str::to_owned).collect()
    };
    // From the line that opens a section to the next one that does.
    let section = |name: &str| {
        let begin = reference
            .find(&format!("\n[{name}]\n"))
            .unwrap_or_else(|| panic!("[{name}] does not stand in it"));
        let rest = &reference[begin + 2..];
        rest[..rest.find("\n[").unwrap_or(rest.len())].to_owned()
    };
    let stands_in = |text: &str, key: &str| {
        text.lines().any(|line| {
            let starts =
                |at: usize| line[..at].chars().next_back().is_none_or(|before| " #{".contains(before));
            line.match_indices(&format!("{key} = ")).any(|(at, _)| starts(at))
                || [format!(".{key}]"), format!(".{key}.")].iter().any(|part| line.contains(part))
                || line.contains(&format!("[{key}]"))
        })
    };
    let arrays = ["listener", "rules", "points_of_no_return"];
    let (mut all, mut missing) = (0, Vec::new());
    let mut look = |text: &str, table: &str, key: &str| {
        all += 1;
        if !stands_in(text, key) {
            missing.push(format!("`{key}` of {table}"));
        }
    };
    for name in keys("") {
        if name == "rules_file" || arrays.contains(&name.as_str()) {
            look(&reference, "the top", &name);
            continue;
        }
        let table = format!("[{name}]");
        for key in keys(&table) {
            look(&section(&name), &table, &key);
        }
    }
    let listener = "[[listener]]\naddress = \"[::1]:1\"";
    for (of, table) in [
        ("upstreams", "[upstreams.control]"),
        ("upstreams", "[upstreams.control.tls]"),
        ("upstreams", "[upstreams.control.health]"),
        ("upstreams", "[upstreams.control.health.check]"),
        ("listen", listener),
        ("listen", &format!("{listener}\n[listener.tls]")),
        ("admin", "[[admin.tokens]]"),
        ("admin", "[admin.proxy]"),
        ("policy", "[policy.tiers.a]"),
        ("verify", "[[verify.read_back]]"),
    ] {
        for key in keys(table) {
            look(&section(of), table, &key);
        }
    }
    assert!(missing.is_empty(), "these do not stand in it: {missing:#?}");
    assert!(all > 100, "only {all} keys were found");
}

#[test]
fn a_wrong_config_is_told_with_its_place_and_what_was_expected() {
    for (text, told) in [
        ("[upstreams\n", "strangler.toml:1:11: "),
        (
            "[upstreams]\ncontrol = \"http://a:1\"\n[shadow]\nnice = 20\n",
            "strangler.toml:4:8: 20 is no niceness: expected 0 to 19",
        ),
        (
            "[upstreams]\ncontrol = 5\n",
            "strangler.toml:2:11: invalid type: integer `5`, expected a URL such as",
        ),
        (
            "[upstreams]\ncontrl = \"http://a:1\"\n",
            "strangler.toml:2:1: unknown key `contrl`, expected `control` or `candidate`; did you mean `control`?",
        ),
        (
            "[upstreams]\ncontrol = \"ftp://a\"\n",
            "strangler.toml:2:11: `ftp://a` is not an upstream: it does not begin with http:// or https://",
        ),
        (
            "[upstreams.control]\naddresses = [\"https://a\", \"http://b\"]\n",
            "strangler.toml:1:1: some of the addresses are https:// and some are http://",
        ),
        (
            "[upstreams.control]\nurl = \"http://a\"\ntls = {ca = \"ca.pem\"}\n",
            "strangler.toml:1:1: `tls` is for https://, and this upstream is http://",
        ),
        (
            "[upstreams.control]\nurl = \"https://a\"\ntls = {certificate = \"a.pem\"}\n",
            "strangler.toml:1:1: `certificate` and `key` stand together",
        ),
        (
            "[upstreams.control.tls]\nverify = false\n",
            "strangler.toml:2:1: unknown key `verify`, expected `ca`, `server_name`, `certificate` or `key`",
        ),
        (
            "[upstreams]\ncandidate = \"http://c\"\n[upstreams.control]\nurl = \"https://a\"\ntls = {ca = \"/nonexistent/ca.pem\"}\n",
            "strangler.toml: TLS to control: /nonexistent/ca.pem cannot be read",
        ),
        (
            "[upstreams.control]\nurl = \"http://a/b\"\n",
            "strangler.toml:2:7: `http://a/b` is not an upstream: it has a path",
        ),
        (
            "[upstreams.control]\naddresses = [\"http://a\", \"b\"]\n",
            "strangler.toml:2:13: `b` is not an upstream",
        ),
        (
            "[upstreams.control]\nurl = \"http://a\"\nprotocol = \"http/2\"\n",
            "strangler.toml:3:12: unknown variant `http/2`, expected one of `http/1.1`, `h2`, `auto`",
        ),
        ("[upstreams.control]\naddresses = []\n", "strangler.toml:1:1: an upstream needs `url = "),
        (
            "[upstreams.control]\nurl = \"http://a\"\naddresses = [\"http://b\"]\n",
            "strangler.toml:1:1: an upstream has either `url` or `addresses`, and this has both",
        ),
        (
            "[upstreams.control]\nurll = \"http://a\"\n",
            "strangler.toml:2:1: unknown key `urll`, expected `url`, ",
        ),
        (
            "[upstreams.control]\nurl = \"http://a\"\nresolve_every = \"0s\"\n",
            "strangler.toml:3:17: 0ms is too short",
        ),
        (
            "[upstreams.control]\nurl = \"http://a\"\nhealth = {eject_for = \"9m\"}\n",
            "`eject_for_max` (5m) is shorter than `eject_for` (9m)",
        ),
        (
            "[upstreams.control.health]\ncheck = {path = \"healthz\"}\n",
            "strangler.toml:2:17: `healthz` is not what can be asked for: expected a path",
        ),
        ("[upstreams.control.health]\ncheck = {path = \"/\", healthy = 0}\n", "0 is too few"),
        (
            "[listen]\naddress = \"localhost\"\n",
            "strangler.toml:2:11: `localhost` is not an address to listen on",
        ),
        ("[[listener]]\naddress = \"unix:\"\n", "strangler.toml:2:11: `unix:` names no file"),
        ("[[listener]]\nmode = \"0600\"\n", "strangler.toml:1:1: missing field `address`"),
        (
            "[[listener]]\naddress = \"127.0.0.1:1\"\nmode = \"0600\"\n",
            "strangler.toml:3:8: a mode is for a socket file, and 127.0.0.1:1 is none",
        ),
        (
            "[[listener]]\naddress = \"unix:a\"\nmode = \"rw\"\n",
            "strangler.toml:3:8: `rw` is not a file mode: expected octal digits",
        ),
        (
            "[listen]\naddress = \"127.0.0.1:1\"\n[[listener]]\naddress = \"127.0.0.1:1\"\n",
            "strangler.toml:4:11: a second listener on 127.0.0.1:1",
        ),
        (
            "[[listener]]\naddress = \"[::]:1\"\nproxy_protocol = \"v3\"\n",
            "strangler.toml:3:18: `v3` is no version of the PROXY protocol",
        ),
        (
            "[[listener]]\naddress = \"[::]:1\"\nproxy_protocol = \"v2\"\n",
            "strangler.toml:3:18: nobody is trusted to say who the client is",
        ),
        (
            "[[listener]]\naddress = \"[::]:1\"\nproxy_protocol_from = [\"lb\"]\n",
            "strangler.toml:3:24: `lb` is not a network",
        ),
        (
            "[[listener]]\naddress = \"[::]:1\"\ntls = { certificate = \"/nonexistent/a.pem\", key = \"a.key\" }\n",
            "strangler.toml:3:7: /nonexistent/a.pem cannot be read: No such file",
        ),
        (
            "[[listener]]\naddress = \"[::]:1\"\ntls = { certificate = \"a\", key = \"b\", min_version = \"1.1\" }\n",
            "strangler.toml:3:53: `1.1` is no version of TLS that is spoken",
        ),
        (
            "[[listener]]\naddress = \"[::]:1\"\ntls = { certificate = \"a\", key = \"b\", client_certificates = \"optional\" }\n",
            "strangler.toml:3:61: client certificates are asked for",
        ),
        ("[http2]\nstreams = 0\n", "strangler.toml:2:11: 0 is too few"),
        (
            "[http2]\nstream_window = \"2GiB\"\n",
            "strangler.toml:2:17: 2147483648 bytes are out of range: expected 1 to",
        ),
        ("[http2]\nconnection_window = \"1KiB\"\n", "strangler.toml:2:21: 1024 bytes are out of range"),
        ("[[listener]]\naddress = \"[::]:1\"\nconnections = 0\n", "strangler.toml:3:15: 0 is too few"),
        ("[shadow]\nshare = \"120%\"\n", "strangler.toml:2:9: `120%` is not a share"),
        ("[shadow]\ntimeout = 5\n", "hint: times, sizes and shares are strings with a unit"),
        ("[shadow]\nqueue = 0\n", "strangler.toml:2:9: 0 is too few"),
        ("[shadow]\nqueue = -1\n", "strangler.toml:2:9: "),
        ("[policy]\nmin_comparison = 5\n", "did you mean `min_comparisons`?"),
        ("[policy]\np0 = \"0.1\"\n", "strangler.toml:2:6: `0.1` is not a share"),
        ("[policy]\np1 = \"0.01%\"\n", "strangler.toml:2:6: the mismatch rates must satisfy 0 < p0 < p1 < 1"),
        (
            "[policy]\nlatency = \"off\"\n",
            "strangler.toml:2:11: `off` is not known here: expected \"require\" or \"state\"",
        ),
        ("[policy.tiers.a]\np0 = \"0.2%\"\n", "strangler.toml:1:1: the tier `a` names no endpoints"),
        ("[policy.tiers.a]\nendpoints = [\"GET\"]\n", "strangler.toml:2:14: `GET` is not an endpoint"),
        ("[policy.tiers.default]\nendpoints = [\"*\"]\n", "a tier cannot be named `default`"),
        ("[fallback]\nwindow = \"1ms\"\n", "strangler.toml:2:10: a window of 1ms is too short"),
        ("[cohort]\nkey = \"ip\"\n", "strangler.toml:2:7: `ip` is not a cohort key"),
        ("[cohort]\nbase_path = \"api\"\n", "strangler.toml:2:13: `api` is not a base path"),
        (
            "[cohort.groups]\n\"/a/{id}\" = \"a\"\n",
            "strangler.toml:2:1: `/a/{id}` is not a pattern of templates",
        ),
        (
            "[[points_of_no_return]]\nendpoint = \"POST /a\"\nstage = \"alive\"\nwhy = \"x\"\n",
            "strangler.toml:3:9: `alive` is not a stage",
        ),
        (
            "[[verify.read_back]]\nendpoint = \"PUT /a/{id}\"\nread = \"/a/{x}\"\n",
            "strangler.toml:3:8: `/a/{x}` is not what can be read back after PUT /a/{id}",
        ),
        ("[verify]\nconfirm_header = \"x-ok\"\n", "strangler.toml:2:18: a dry run has no header"),
        ("[verify]\nfirst = true\n", "strangler.toml:2:9: a dry run has no header"),
        ("[verify]\nfirst_wait = \"1s\"\n", "strangler.toml:2:14: nobody waits for a dry run"),
        (
            "[verify]\nheader = \"x-dry\"\nfirst = true\nfirst_wait = \"6s\"\n",
            "strangler.toml:4:14: a client cannot wait 6s for a dry run: expected more than 0 and at most 5s",
        ),
        (
            "[verify]\nheader = \"x-dry\"\nfirst = true\nfirst_waiting = 0\n",
            "strangler.toml:4:17: 0 is too few",
        ),
        ("[verify]\nheader = \"x dry\"\n", "strangler.toml:2:10: `x dry` is not the name of a header"),
        ("[epochs]\ncontrol_header = \"a b\"\n", "strangler.toml:2:18: `a b` is not the name of a header"),
        ("[redaction]\njson_paths = [\"$.a\", \"x..\"]\n", "strangler.toml:2:22: "),
        ("[listen]\nthreads = 5000\n", "strangler.toml:2:11: more than 1024 threads"),
        ("stage = \"live\"\n", "strangler.toml:1:1: unknown key `stage`"),
        ("a = 1\na = 2\n", "strangler.toml:2:1: duplicate key"),
    ] {
        let message = refused(text);
        assert!(message.contains(told), "{text:?} gave:\n{message}");
    }
}

#[test]
fn an_upstream_is_a_url_or_a_table() {
    let table = "[upstreams]\ncandidate = \"http://c\"\n[upstreams.control]\naddresses = [\"http://a:1\", \"http://b\"]\n\
                 resolve_every = \"5s\"\nhealth = {failures = 0, check = {path = \"/up\", host = \"a.example\", healthy = 1}}\n";
    let control = parse(table).unwrap().data_plane.control;
    assert_eq!(control.authorities, ["a:1", "b:80"]);
    assert_eq!((control.resolve_every.as_secs(), control.health.failures_max), (5, 0));
    let check = control.health.check.unwrap();
    assert_eq!((check.path.as_str(), check.host.as_deref()), ("/up", Some("a.example")));
    assert_eq!((check.healthy, check.unhealthy, check.every.as_secs()), (1, 3, 10));

    let short = parse("[upstreams]\ncandidate = \"http://c\"\ncontrol = {url = \"http://a:1\"}\n").unwrap();
    let shorter = parse("[upstreams]\ncandidate = \"http://c\"\ncontrol = \"http://a:1\"\n").unwrap();
    assert_eq!(short.control, shorter.control);
    assert_eq!(short.control.to_string(), "http://a:1");
}

#[test]
fn a_side_that_is_not_declared_is_asked_for() {
    let message = refused("[upstreams]\ncontrol = \"http://a:1\"\n");
    assert!(message.contains("no candidate upstream is declared"), "{message}");
    assert!(message.contains("--candidate URL"), "{message}");
}

#[test]
fn an_admin_api_that_others_can_reach_needs_a_token() {
    let open = format!("{MINIMAL}[admin]\naddress = \"0.0.0.0:9600\"\n");
    let message = refused(&open);
    assert!(
        message.starts_with("strangler.toml:5:11: the admin API would listen on 0.0.0.0:9600"),
        "{message}"
    );
    let closed = format!("{open}[[admin.tokens]]\nname = \"ci\"\ntoken = \"0123456789abcdef\"\n");
    assert_eq!(parse(&closed).unwrap().admin.tokens.len(), 1);
    let by_flag = Overrides { admin: Some("0.0.0.0:1".parse().unwrap()), ..Overrides::default() };
    assert!(Config::parse(Path::new("strangler.toml"), MINIMAL, &by_flag).is_err());
}

#[test]
fn a_token_that_is_no_secret_is_refused() {
    let with = |token: &str| refused(&format!("{MINIMAL}[[admin.tokens]]\n{token}\n"));
    assert!(with("name = \"a\"\ntoken = \"short\"").contains("fewer than 16 characters"));
    assert!(with("name = \"\"\ntoken = \"0123456789abcdef\"").contains("needs a name"));
    assert!(with("name = \"a\"").contains("needs either `token` or `token_file`"));
    assert!(with("name = \"a\"\ntoken_file = \"/nonexistent\"").contains("cannot be read"));
    let twice = "name = \"a\"\ntoken = \"0123456789abcdef\"\n[[admin.tokens]]\nname = \"a\"\ntoken = \"0123456789abcdeg\"";
    assert!(with(twice).contains("a second token named `a`"));
}

#[test]
fn the_command_line_goes_before_the_file() {
    let overrides = Overrides {
        candidate: Some("http://127.0.0.1:3".parse().unwrap()),
        store: Some("other.db".into()),
        ..Overrides::default()
    };
    let config = Config::parse(Path::new("etc/strangler.toml"), MINIMAL, &overrides).unwrap();
    assert_eq!(config.candidate.to_string(), "http://127.0.0.1:3");
    assert_eq!(config.store, Path::new("other.db"));
}

#[test]
fn every_listener_of_the_file_is_listened_on_unless_the_command_line_names_one() {
    let named = "[[listener]]\naddress = \"unix:a.sock\"\nmode = \"600\"\nconnections = 7\n\
                 [[listener]]\naddress = \"127.0.0.1:0\"\n[[listener]]\naddress = \"127.0.0.1:0\"\n";
    let of = |text: &str, flag: Option<&str>| {
        let overrides = Overrides { listen: flag.map(|flag| flag.parse().unwrap()), ..Overrides::default() };
        let config = Config::parse(Path::new("etc/strangler.toml"), &format!("{MINIMAL}{text}"), &overrides);
        config.unwrap().data_plane.listeners
    };
    let addresses = |text: &str, flag| {
        of(text, flag).iter().map(|listener| listener.address.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(addresses("", None), ["127.0.0.1:8080"]);
    assert_eq!(addresses(named, None), ["unix:etc/a.sock", "127.0.0.1:0", "127.0.0.1:0"]);
    let both = format!("[listen]\naddress = \"[::1]:80\"\n{named}");
    assert_eq!(addresses(&both, None), ["[::1]:80", "unix:etc/a.sock", "127.0.0.1:0", "127.0.0.1:0"]);
    assert_eq!(addresses(&both, Some("unix:b.sock")), ["unix:b.sock"]);
    let first = of(named, None).swap_remove(0);
    assert_eq!(first.connections_max, Some(7));
    assert_eq!(first.address, Address::Unix { path: "etc/a.sock".into(), mode: 0o600 });
}

#[test]
fn paths_in_a_file_are_relative_to_it() {
    let text = format!("{MINIMAL}[store]\npath = \"a.db\"\n");
    let config = Config::parse(Path::new("etc/strangler.toml"), &text, &Overrides::default()).unwrap();
    assert_eq!(config.store, Path::new("etc/a.db"));
}

const RULE: &str = "[[rules]]\nid = \"a\"\nheader = \"vary\"\naction = \"ignore\"\nreason = \"r\"\n";

#[test]
fn rules_stand_in_the_config_and_in_a_file_beside_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("strangler.toml");
    let load = |config: String, rules: &str| {
        std::fs::write(&path, config).unwrap();
        std::fs::write(dir.path().join("rules.toml"), rules).unwrap();
        ConfigSource { path: Some(path.clone()), overrides: Overrides::default() }.load()
    };
    let with_file = format!("rules_file = \"rules.toml\"\n{MINIMAL}");
    let both = load(format!("{with_file}{RULE}"), &RULE.replace("\"a\"", "\"b\"")).unwrap();
    assert_eq!(both.rules.iter().map(|rule| rule.id.as_str()).collect::<Vec<_>>(), ["a", "b"]);

    let twice = load(format!("{with_file}{RULE}"), RULE).unwrap_err().to_string();
    assert!(twice.contains("rules.toml: the rule `a` is in"), "{twice}");

    let wrong = load(with_file, "[[rules]]\nid = \"a\"\npth = \"$.x\"\n").unwrap_err().to_string();
    assert!(wrong.contains("rules.toml:"), "{wrong}");

    let wrong = load(format!("{MINIMAL}{}", RULE.replace("ignore", "ignor")), "").unwrap_err().to_string();
    assert!(wrong.contains("strangler.toml:7:10: "), "{wrong}");
}

#[test]
fn what_a_file_calls_secret_is_added_to_what_always_is() {
    let text = format!("{MINIMAL}[redaction]\nheaders = [\"x-internal\"]\n");
    let headers = parse(&text).unwrap().redaction.headers;
    assert!(headers.iter().any(|name| name == "x-internal"));
    assert!(headers.len() > 1, "the built-in ones are gone");
}

#[test]
fn a_tier_takes_what_it_leaves_out_from_the_policy_and_stands_in_the_order_of_the_file() {
    let text = format!(
        "{MINIMAL}[policy]\nlatency = \"state\"\nquiet_live = \"3s\"\n[policy.tiers.zebra]\nendpoints = [\"GET /a\"]\np1 = \"2%\"\n\
         [policy.tiers.ant]\nendpoints = [\"*\"]\nlatency = \"require\"\n"
    );
    let policy = parse(&text).unwrap().policy;
    let of = |endpoint: &str| {
        let endpoint = endpoint.parse().unwrap();
        let (name, demands) = policy.of(&endpoint);
        (name.to_owned(), demands.sprt.p1(), demands.latency.as_str(), demands.quiet_live.as_secs())
    };
    assert_eq!(of("GET /a"), ("zebra".to_owned(), 0.02, "state", 3));
    assert_eq!(of("PUT /b"), ("ant".to_owned(), 0.01, "require", 3));
}

#[test]
fn a_policy_to_be_tried_is_a_file_with_nothing_else() {
    let read = |text: &str| parse_policy(Path::new("strict.toml"), text);
    assert_eq!(read("[policy]\nmin_comparisons = 7\n").unwrap().base.min_comparisons, 7);
    let wrong = read("[policy]\np1 = \"2\"\n").unwrap_err().to_string();
    assert!(wrong.starts_with("strict.toml:2:6: `2` is not a share"), "{wrong}");
    let other = read("[listen]\nthreads = 1\n").unwrap_err().to_string();
    assert!(other.starts_with("strict.toml:1:2: unknown key `listen`, expected `policy`"), "{other}");
}
