use gatewayctl::{
    config,
    diagnostic::{Sources, Spanned},
    model, render,
};
struct In;
impl render::files::Inputs for In {
    fn read(&self, p: &str) -> Option<String> {
        std::fs::read_to_string(p).ok()
    }
}
fn main() {
    let path = std::env::args().nth(1).unwrap();
    let mut s = Sources::default();
    let id = s.add("cluster.toml", std::fs::read_to_string(path).unwrap());
    let (c, mut d) = config::load(&s, id);
    let c = c.unwrap_or_default();
    let v = model::Versions {
        envoy_gateway: Spanned::unwritten(
            model::Version::parse(
                c.chart
                    .version
                    .as_deref()
                    .map(|x| x.as_str())
                    .unwrap_or("1.9.0"),
            )
            .unwrap(),
        ),
        gateway_api: model::Version::new(1, 6, 1),
        cilium: model::Version::new(1, 18, 2),
    };
    let (m, d2) = model::build(&c, v);
    d.extend(d2);
    let t = render::Templates::default();
    let (f, d3) = render::render(&m, &t, &In, &mut s);
    d.extend(d3);
    for f in &f {
        println!("##### {}\n{}", f.path, f.text);
    }
    let r = gatewayctl::report::Report::new(d, f.len(), 0, &s);
    gatewayctl::report::Format::Human
        .write(&r, &s, Default::default(), &mut std::io::stderr())
        .unwrap();
use clap::{Parser, Subcommand};

#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Schemas(gatewayctl::cli::schemas::Args),
}

fn main() -> anyhow::Result<std::process::ExitCode> {
    let Command::Schemas(args) = Cli::parse().command;
    gatewayctl::cli::schemas::run(args, &mut std::io::stdout())
}
