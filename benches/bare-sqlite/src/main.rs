use std::sync::Arc;
use std::time::{Duration, Instant};
use ees_core::adapter::*;
use ees_core::*;
use ees_sqlite::*;
use rusqlite::{Connection, params};

const SCHEMA: &str = include_str!("/work/wt-sqlite/ees-sqlite/migrations/0001_changesets.sql");
fn events(n: u64) -> String {
    let one = |i: u64| format!(r#"{{"type":"item_added","item":"sku-{:08}","quantity":{i},"price":"19.99","note":"some text to fill up x"}}"#, n + i);
    format!("[{},{},{}]", one(1), one(2), one(3))
}
fn metadata(n: u64) -> String { format!(r#"{{"command":"add_items","issued_by":"user-{:08}","tag":1}}"#, n) }
const STREAMS: u64 = 1000;

fn bare(dir: &std::path::Path, batch: u64, time: Duration) -> f64 {
    let path = dir.join("bare.db");
    for s in ["", "-wal", "-shm"] { let _ = std::fs::remove_file(format!("{}{s}", path.display())); }
    let c = Connection::open(&path).unwrap();
    c.execute_batch("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-16384; PRAGMA wal_autocheckpoint=16384").unwrap();
    c.execute_batch(SCHEMA).unwrap();
    let start = Instant::now();
    let mut n = 0u64;
    while start.elapsed() < time {
        c.prepare_cached("BEGIN IMMEDIATE").unwrap().execute([]).unwrap();
        for _ in 0..batch {
            let s = n % STREAMS; let k = n / STREAMS;
            c.prepare_cached("INSERT INTO changesets VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9)").unwrap().execute(params![
                n as i64, format!("order-{s}"), (k + 1) as i64, (k*3+1) as i64, (k*3+3) as i64, n as i64, "ees-00000000-0000-0000-0000-000000000000", metadata(n), events(n)]).unwrap();
            n += 1;
        }
        c.prepare_cached("COMMIT").unwrap().execute([]).unwrap();
    }
    n as f64 / start.elapsed().as_secs_f64()
}

async fn adapter(dir: &std::path::Path, clients: u64, time: Duration) -> f64 {
    let path = dir.join("ees.db");
    for s in ["", "-wal", "-shm"] { let _ = std::fs::remove_file(format!("{}{s}", path.display())); }
    let storage = Arc::new(SqliteStorage::open(&SqliteConfig::new(&path)).await.unwrap());
    let store = EventStore::new(storage.clone());
    let start = Instant::now();
    let mut tasks = vec![];
    for client in 0..clients {
        let store = store.clone();
        tasks.push(tokio::spawn(async move {
            let mut n = 0u64;
            let mine = STREAMS / clients;
            while start.elapsed() < time {
                let (s, k) = (n % mine, n / mine);
                let mut new = NewChangeset::new(format!("order-{}", s * clients + client).parse().unwrap(), Expectation::LastChangeset(k), Events::parse(&events(n)).unwrap());
                new.metadata = Json::parse(&metadata(n)).unwrap();
                store.commit(new).await.unwrap();
                n += 1;
            }
            n
        }));
    }
    let mut total = 0;
    for t in tasks { total += t.await.unwrap(); }
    let rate = total as f64 / start.elapsed().as_secs_f64();
    storage.close().await;
    rate
}

#[inline(never)]
fn bare_scan(path: &std::path::Path) -> f64 {
    let c = Connection::open_with_flags(path, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY | rusqlite::OpenFlags::SQLITE_OPEN_NO_MUTEX).unwrap();
    let (mut from, mut rows) = (0i64, 0u64);
    let start = Instant::now();
    loop {
        let mut s = c.prepare_cached("SELECT * FROM changesets WHERE checkpoint >= ?1 ORDER BY checkpoint LIMIT ?2").unwrap();
        let page: Vec<(i64, String, i64, i64, i64, i64, String, String, String)> = s.query_map([from, 1000], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?, r.get(4)?, r.get(5)?, r.get(6)?, r.get(7)?, r.get(8)?))).unwrap().map(|r| r.unwrap()).collect();
        if page.is_empty() { break }
        from += page.len() as i64; rows += page.len() as u64;
        std::hint::black_box(page);
    }
    rows as f64 * 3.0 / start.elapsed().as_secs_f64()
}
async fn scan(storage: &SqliteStorage) -> f64 {
    let (mut from, mut rows) = (Checkpoint::FIRST, 0u64);
    let start = Instant::now();
    loop {
        let page = storage.read_global(from, PageLimit::items(1000)).await.unwrap();
        if page.changesets.is_empty() { break }
        from = page.next; rows += page.changesets.len() as u64;
        std::hint::black_box(page);
    }
    rows as f64 * 3.0 / start.elapsed().as_secs_f64()
}
fn median(mut v: Vec<f64>) -> f64 { v.sort_by(f64::total_cmp); v[v.len()/2] }
#[tokio::main]
async fn main() {
    let dir = std::path::PathBuf::from(std::env::args().nth(1).unwrap());
    let ms: u64 = std::env::args().nth(2).map_or(700, |s| s.parse().unwrap());
    let t = Duration::from_millis(ms);
    if std::env::args().nth(3).is_some() { println!("{}", adapter(&dir, 64, Duration::from_secs(4)).await); return; }
    if std::env::args().nth(2).as_deref() == Some("1") { SqliteStorage::open(&SqliteConfig::new(dir.join("new.db"))).await.unwrap().close().await; return; }
    for clients in [1, 16, 64] {
        let (mut a, mut b) = (vec![], vec![]);
        for _ in 0..11 { b.push(bare(&dir, clients, t)); a.push(adapter(&dir, clients, t).await); }
        let r: Vec<f64> = a.iter().zip(&b).map(|(a, b)| a / b).collect();
        println!("{clients} clients: bare {:.0} adapter {:.0} ratio median {:.2} all {r:.2?}", median(b), median(a), median(r.clone()));
    }
    // scan
    adapter(&dir, 64, Duration::from_millis(2000)).await;
    let path = dir.join("ees.db");
    let storage = SqliteStorage::open(&SqliteConfig::new(&path)).await.unwrap();
    let (mut a, mut b) = (vec![], vec![]);
    bare_scan(&path); scan(&storage).await;
    for _ in 0..7 { b.push(bare_scan(&path)); a.push(scan(&storage).await); }
    println!("scan: bare {:.0} adapter {:.0} ratio {:.2}", median(b.clone()), median(a.clone()), median(a) / median(b));
}
