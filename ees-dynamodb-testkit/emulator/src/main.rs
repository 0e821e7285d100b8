//! Serves an empty DynamoDB on a free port of the loopback interface, and prints the address. It ends
//! when its standard input ends.

use std::error::Error;
use std::io::{self, Write};

use dynoxide::Database;
use tokio::net::TcpListener;

fn main() -> Result<(), Box<dyn Error>> {
    std::thread::spawn(|| {
        // A pipe that fails has ended too.
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        std::process::exit(0);
    });
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(serve())
}

async fn serve() -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let database = Database::memory()?;
    let mut stdout = io::stdout();
    writeln!(stdout, "{}", listener.local_addr()?)?;
    stdout.flush()?;
    dynoxide::server::serve_with_shutdown(listener, database, std::future::pending()).await?;
    Ok(())
}
