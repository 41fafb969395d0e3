import AsyncHTTPClient
import FxferProtocol
import FxferStorage
import NIOCore
import NIOHTTP1
import NIOSSL
import Synchronization

/// Sends requests to a store, signed, and again where that may help. Nothing that a store answers is believed to be of
/// bounded length, or to end.
package final class S3Client: Sendable {
    /// How requests are made.
    package struct Options: Sendable {
        /// How long a request may take from its first byte to the last one of its answer.
        package var timeout = Duration.seconds(30)
        /// How often one is sent that fails for reasons that may pass.
        package var attempts = 5
        /// The certificates that the store's has to be signed by; the system's where there are none.
        package var authorities: [NIOSSLCertificate]?

        package init() {}
    }

    /// How many requests run at once.
    static let lanes = 32

    let bucket: Bucket
    let options: Options
    private let source: CredentialsSource
    private let credentials: Mutex<Credentials>
    private let http: HTTPClient
    let metrics = StoreMetrics()
    private let lanes = RequestLanes(S3Client.lanes)

    /// - Throws: as ``CredentialsSource/load()``.
    init(_ bucket: Bucket, _ source: CredentialsSource, _ options: Options) throws(FxferError) {
        self.bucket = bucket
        self.source = source
        self.options = options
        self.credentials = Mutex(try source.load())
        var configuration = HTTPClient.Configuration(
            redirectConfiguration: .disallow,
            timeout: .init(connect: TimeAmount(min(options.timeout, .seconds(10)))),
            decompression: .disabled
        )
        configuration.httpVersion = .http1Only
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = Self.lanes
        configuration.connectionPool.idleTimeout = .seconds(20)
        // Tried again here, where it is counted.
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.maximumUsesPerConnection = 10_000
        if let authorities = options.authorities {
            var tls = TLSConfiguration.makeClientConfiguration()
            tls.trustRoots = .certificates(authorities)
            configuration.tlsConfiguration = tls
        }
        self.http = HTTPClient(
            eventLoopGroupProvider: .shared(.singletonMultiThreadedEventLoopGroup),
            configuration: configuration
        )
    }

    deinit {
        let http = self.http
        Task { try? await http.shutdown() }
    }

    /// Closes all connections; no request may be running or come later.
    func close() async {
        try? await self.http.shutdown()
    }

    /// Sends a request until it is carried out, or trying again is of no use.
    ///
    /// - Throws: ``S3Error``; `CancellationError`.
    func perform(_ request: S3Request) async throws -> S3Answer {
        var attempt = 1
        var hasReloaded = false
        while true {
            do {
                return try await self.attempt(request)
            } catch let error as S3Error where error.isAboutCredentials && !hasReloaded && self.reload() {
                hasReloaded = true
            } catch let error as S3Error where error.isTemporary && attempt < self.options.attempts {
                try await Task.sleep(for: Self.pause(before: attempt))
                attempt += 1
                self.metrics.retries.increment()
            }
        }
    }

    /// 0.1, 0.2, 0.4 … seconds, and up to as much again, so that many who were refused do not come back at once.
    private static func pause(before attempt: Int) -> Duration {
        let base = 100 << min(attempt - 1, 5)
        return .milliseconds(base + Int.random(in: 0...base))
    }

    /// Asks again for credentials; false where there are no others.
    private func reload() -> Bool {
        guard let new = try? self.source.load() else { return false }
        return self.credentials.withLock { old in
            guard new != old else { return false }
            old = new
            return true
        }
    }

    /// Sends a request once.
    func attempt(_ request: S3Request) async throws -> S3Answer {
        try await self.lanes.run {
            let begin = NIODeadline.now()
            do {
                let answer = try await self.send(request)
                self.metrics.ended(request.method.rawValue, nil, since: begin)
                return answer
            } catch {
                self.metrics.ended(request.method.rawValue, error, since: begin)
                throw error
            }
        }
    }

    private func send(_ request: S3Request) async throws -> S3Answer {
        let name = self.name(of: request)
        let limit = request.mayTakeLong ? self.options.timeout * 4 : self.options.timeout
        let (status, headers, body): (Int, HTTPHeaders, ByteBuffer)
        do {
            (status, headers, body) = try await withTimeLimit(limit) { try await self.exchange(request) }
        } catch let error as S3Error {
            throw error
        } catch is TimeLimitExceeded {
            throw S3Error(reason: .unreachable("no whole answer within \(limit)"), request: name)
        } catch  where Task.isCancelled {
            throw CancellationError()
        } catch {
            throw S3Error(reason: .unreachable(ConnectionFailure.text(of: error)), request: name)
        }
        let answer = S3Answer(status: status, headers: headers, body: body)
        guard (200..<300).contains(status) else {
            throw S3Error(reason: Self.reason(of: answer), request: name)
        }
        return answer
    }

    private static func reason(of answer: S3Answer) -> S3Error.Reason {
        let error = answer.document("Error")
        let region = (error?["Region"] ?? answer.headers.first(name: "x-amz-bucket-region"))
            .flatMap { Bucket.isRegion($0) ? $0 : nil }
        return .answered(status: answer.status, code: error?["Code"] ?? "", region: region)
    }

    private func exchange(_ request: S3Request) async throws -> (Int, HTTPHeaders, ByteBuffer) {
        let path = self.bucket.path(of: request.key)
        var signed = request
        Signer(credentials: self.credentials.withLock { $0 }, region: self.bucket.region)
            .sign(&signed, host: self.bucket.authority, path: path, at: SigningTime(.now()))
        let query = signed.canonicalQuery
        var message = HTTPClientRequest(url: self.bucket.origin + path + (query.isEmpty ? "" : "?\(query)"))
        message.method = signed.method
        for header in signed.headers { message.headers.add(name: header.name, value: header.value) }
        if signed.method == .PUT || signed.method == .POST { message.body = .bytes(signed.body) }
        let response = try await self.http.execute(message, deadline: .distantFuture)
        var body = ByteBuffer()
        for try await part in response.body {
            guard body.readableBytes + part.readableBytes <= request.answerLimit else {
                if request.mayBeTooLong { return (Int(response.status.code), response.headers, ByteBuffer()) }
                throw S3Error(
                    reason: .nonsense("more than \(request.answerLimit) bytes"),
                    request: self.name(of: request)
                )
            }
            body.writeImmutableBuffer(part)
        }
        return (Int(response.status.code), response.headers, body)
    }

    func name(of request: S3Request) -> String {
        let object = request.key.map { "'\(EscapedText.escape($0))'" } ?? "the bucket"
        return "\(request.method.rawValue) of \(object)"
    }

    /// The error of an answer that lacks what it has to have.
    func nonsense(_ what: String, _ request: S3Request) -> S3Error {
        S3Error(reason: .nonsense(what), request: self.name(of: request))
    }
}

/// More time has passed than there was.
struct TimeLimitExceeded: Error {}

/// Runs `body`, and cancels it where it takes longer than `limit`.
///
/// - Throws: what `body` throws; ``TimeLimitExceeded``.
func withTimeLimit<T: Sendable>(
    _ limit: Duration,
    _ body: @escaping @Sendable () async throws -> T
) async throws -> T {
    try await withThrowingTaskGroup(of: T?.self) { group in
        group.addTask { try await body() }
        group.addTask {
            try await Task.sleep(for: limit)
            return nil
        }
        defer { group.cancelAll() }
        guard let result = try await group.next() ?? nil else { throw TimeLimitExceeded() }
        return result
    }
}
