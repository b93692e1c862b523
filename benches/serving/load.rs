//! Load on an HTTP server over connections that stay open, from this machine.
//!
//! *Open loop*: requests have times of their own (independent, as of many people), whether or not the server keeps up. A latency counts from the time at
//! which a request was due, so that a request that had to wait for a free connection has waited (no coordinated omission).
//! *Closed loop*: each connection asks again as soon as it is answered; what comes out is the highest rate.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::Result;

/// Where requests go; `request(number)` is the text of one.
pub(crate) struct Target<'a> {
    pub address: SocketAddr,
    pub request: &'a (dyn Fn(usize) -> String + Sync),
}

/// What became of a load.
#[derive(Debug)]
pub(crate) struct Report {
    /// Answers in a second.
    pub rate: f64,
    /// Seconds each, ascending.
    latencies: Vec<f64>,
    /// Answers that were not 200.
    pub failed: usize,
}

impl Report {
    /// The latency that a share of the requests stayed below, in milliseconds.
    pub(crate) fn quantile_ms(&self, share: f64) -> f64 {
        let last = self.latencies.len().saturating_sub(1);
        self.latencies.get((share * last as f64).round() as usize).copied().unwrap_or(f64::NAN) * 1e3
    }
}

/// Asks `rate` times a second on average.
pub(crate) fn open_loop(target: &Target<'_>, rate: f64, seconds: f64, connections: usize) -> Result<Report> {
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let (mut due, mut at) = (Vec::new(), 0.0);
    while at < seconds {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        // Exponential gaps: a share of (0, 1] from the better half of the bits.
        at -= (((random >> 11) + 1) as f64 / (1_u64 << 53) as f64).ln() / rate;
        due.push(Duration::from_secs_f64(at));
    }
    let next = AtomicUsize::new(0);
    let started = Instant::now() + Duration::from_millis(50);
    gather(connections, |latencies, failed| {
        let mut connection = Connection::open(target.address)?;
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some(&due) = due.get(number) else { return Ok(started.elapsed()) };
            std::thread::sleep((started + due).saturating_duration_since(Instant::now()));
            *failed += usize::from(connection.ask(&(target.request)(number))? != 200);
            latencies.push((started.elapsed() - due).as_secs_f64());
        }
    })
}

/// Asks as fast as answers come.
pub(crate) fn closed_loop(target: &Target<'_>, seconds: f64, connections: usize) -> Result<Report> {
    let next = AtomicUsize::new(0);
    let started = Instant::now();
    gather(connections, |latencies, failed| {
        let mut connection = Connection::open(target.address)?;
        while started.elapsed().as_secs_f64() < seconds {
            let asked = Instant::now();
            let number = next.fetch_add(1, Ordering::Relaxed);
            *failed += usize::from(connection.ask(&(target.request)(number))? != 200);
            latencies.push(asked.elapsed().as_secs_f64());
        }
        Ok(started.elapsed())
    })
}

/// Runs `work` on as many threads as there are connections.
fn gather(connections: usize, work: impl Fn(&mut Vec<f64>, &mut usize) -> Result<Duration> + Sync) -> Result<Report> {
    let parts = std::thread::scope(|scope| {
        let run = || {
            let (mut latencies, mut failed) = (Vec::new(), 0);
            // An error as text can leave its thread.
            let took = work(&mut latencies, &mut failed).map_err(|error| error.to_string())?;
            Ok((latencies, failed, took))
        };
        let threads: Vec<_> = (0..connections).map(|_| scope.spawn(run)).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|_| Err("a thread panicked".to_owned())))
            .collect::<Result<Vec<_>, String>>()
    })?;
    let took = parts.iter().map(|part| part.2).max().unwrap_or_default().as_secs_f64();
    let failed = parts.iter().map(|part| part.1).sum();
    let mut latencies = parts.into_iter().flat_map(|part| part.0).collect::<Vec<_>>();
    latencies.sort_by(f64::total_cmp);
    Ok(Report { rate: latencies.len() as f64 / took, latencies, failed })
}

/// A connection that is kept open.
struct Connection {
    stream: BufReader<TcpStream>,
    line: String,
    body: Vec<u8>,
}

impl Connection {
    fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        Ok(Self { stream: BufReader::new(stream), line: String::new(), body: Vec::new() })
    }

    /// Sends a request and reads all of its answer; the status.
    fn ask(&mut self, request: &str) -> Result<u16> {
        self.stream.get_mut().write_all(request.as_bytes())?;
        let (mut status, mut length) = (0, 0);
        loop {
            self.line.clear();
            self.stream.read_line(&mut self.line)?;
            let line = self.line.trim_end();
            if line.is_empty() {
                break;
            }
            if let Some(rest) = line.strip_prefix("HTTP/1.1 ") {
                status = rest.get(..3).ok_or("a status")?.parse()?;
            } else if let Some((_, value)) = line.split_once(':').filter(|(name, _)| name.eq_ignore_ascii_case("content-length")) {
                length = value.trim().parse()?;
            }
        }
        self.body.resize(length, 0);
        self.stream.read_exact(&mut self.body)?;
        Ok(status)
    }
}
