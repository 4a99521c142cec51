//! The real transport over loopback.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;

/// A server that reads a request, writes `answer` as it is, and hangs up.
async fn exchange(answer: Vec<u8>) -> Result<http::Response<Bytes>, Broken> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut request = vec![0; 4096];
        let length = socket.read(&mut request).await.unwrap();
        let _ = socket.write_all(&answer).await;
        String::from_utf8_lossy(&request[..length]).into_owned()
    });
    let request = http::Request::get(format!("http://{address}/v2/a%2Fb?x=%7C")).header("host", address.to_string());
    let result = HttpTransport::new()
        .unwrap()
        .send(request.body(Bytes::new()).unwrap())
        .await;
    let seen = server.await.unwrap();
    assert!(seen.starts_with("GET /v2/a%2Fb?x=%7C HTTP/1.1\r\n"), "{seen}");
    assert!(
        seen.to_lowercase().contains(&format!("\r\nhost: {address}\r\n")),
        "{seen}"
    );
    assert_eq!(seen.to_lowercase().matches("\r\nhost:").count(), 1, "{seen}");
    result
}

#[tokio::test]
async fn the_path_goes_out_as_it_was_signed_and_redirects_are_not_followed() {
    let answer = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 2\r\n\r\nno";
    let answer = exchange(answer.to_vec()).await.unwrap();
    assert_eq!(
        (answer.status().as_u16(), answer.body().as_ref()),
        (302, b"no".as_slice())
    );
}

#[tokio::test]
async fn a_connection_that_breaks_has_perhaps_carried_the_request() {
    let half = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"ins".to_vec();
    let endless = [
        b"HTTP/1.1 200 OK\r\nContent-Length: 9000000\r\n\r\n".to_vec(),
        vec![b' '; 9_000_000],
    ]
    .concat();
    for answer in [Vec::new(), half, endless] {
        let result = exchange(answer).await;
        assert!(matches!(result, Err(Broken::Lost(_))), "{result:?}");
    }
}

#[tokio::test]
async fn a_refused_connection_and_a_refused_handshake_carried_nothing() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let plain = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = plain.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut socket, _) = plain.accept().await.unwrap();
        let _ = socket.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    });
    for url in [format!("http://{closed}/"), format!("https://{address}/")] {
        let request = http::Request::get(url).body(Bytes::new()).unwrap();
        let result = HttpTransport::new().unwrap().send(request).await;
        assert!(matches!(result, Err(Broken::NotSent(_))), "{result:?}");
    }
}
