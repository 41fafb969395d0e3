import ArgumentParser
import Fxfer
import FxferProtocol
import FxferS3
import Glibc
import NIOSSL

/// A bucket in place of a directory.
struct ObjectStoreOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "A bucket of an S3-compatible object store in place of a directory.",
            discussion: """
                Its key comes from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or from ~/.aws/credentials \
                (AWS_PROFILE, AWS_SHARED_CREDENTIALS_FILE).
                """,
            valueName: "s3://bucket[/prefix]"
        )
    )
    var store: String?

    @Option(
        name: .customLong("s3-endpoint"),
        help: ArgumentHelp("Where the store is; AWS if not given (AWS_ENDPOINT_URL).", valueName: "url")
    )
    var endpoint: String?

    @Option(
        name: .customLong("s3-region"),
        help: ArgumentHelp("The bucket's region; us-east-1 if not given (AWS_REGION).", valueName: "region")
    )
    var region: String?

    @Option(
        name: .customLong("s3-addressing"),
        help: ArgumentHelp(
            "How the bucket is named: in the path (with --s3-endpoint, if not given), or in the host's name (with AWS).",
            valueName: "path|virtual"
        )
    )
    var addressing: Bucket.Addressing?

    @Option(
        name: .customLong("s3-timeout"),
        help: ArgumentHelp("How long a request to the store may take; a part four times as long.", valueName: "time")
    )
    var timeout = DurationArgument(seconds: 30, text: "30s")

    func validate() throws {
        guard self.store != nil || self.endpoint == nil && self.region == nil && self.addressing == nil else {
            throw ValidationError("--s3-endpoint, --s3-region and --s3-addressing go with --store")
        }
        guard self.timeout.seconds > 0 else { throw ValidationError("--s3-timeout takes a time from 1 second on") }
    }

    /// A bucket, and what it takes to ask for what is in it.
    struct Place: Sendable {
        let bucket: Bucket
        let credentials: CredentialsSource
        let requests: S3Client.Options
        /// Files that may be read again later.
        fileprivate let files: [String]
    }

    /// Nil where a directory is meant. Reads certificates.
    ///
    /// - Throws: `usage`, `noInput`, `notPermitted`.
    func place() throws(FxferError) -> Place? {
        guard let store else { return nil }
        let environment = Self.environment()
        func value(_ names: String...) -> String? {
            names.lazy.compactMap { environment[$0] }.first { !$0.isEmpty }
        }
        let bucket = try Bucket(
            store,
            endpoint: self.endpoint ?? value("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"),
            region: self.region ?? value("AWS_REGION", "AWS_DEFAULT_REGION") ?? "us-east-1",
            addressing: self.addressing
        )
        var requests = S3Client.Options()
        requests.timeout = self.timeout.duration
        if let file = value("AWS_CA_BUNDLE") {
            do {
                requests.authorities = try NIOSSLCertificate.fromPEMFile(file)
            } catch {
                throw FxferError(
                    .noInput,
                    "cannot read the certificates in '\(EscapedText.escape(file))' (AWS_CA_BUNDLE)",
                    cause: error
                )
            }
        }
        let credentials = CredentialsSource(environment)
        // What is missing is told before anything is done.
        _ = try credentials.load()
        return Place(
            bucket: bucket,
            credentials: credentials,
            requests: requests,
            files: credentials.file.map { [$0] } ?? []
        )
    }

    private static func environment() -> [String: String] {
        var found: [String: String] = [:]
        var next = environ
        while let entry = next.pointee {
            let parts = String(cString: entry).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if parts.count == 2, parts[0].hasPrefix("AWS_") || parts[0] == "HOME" {
                found[String(parts[0])] = String(parts[1])
            }
            next += 1
        }
        return found
    }
}

extension ObjectStoreOptions.Place {
    /// What a sandboxed process needs to reach the store: its port, and what name resolution and TLS read.
    func allow(in rules: inout SandboxRules) {
        rules.connecting.append(UInt16(clamping: self.bucket.servicePort))
        // Answers that are too long for a datagram.
        rules.connecting.append(53)
        for file in self.files where access(file, R_OK) == 0 { rules.allowReading(file: Array(file.utf8)) }
        for file in ["/etc/resolv.conf", "/etc/ssl/certs/ca-certificates.crt"] where access(file, R_OK) == 0 {
            rules.allowReading(file: Array(file.utf8))
        }
    }
}

extension Bucket.Addressing: ExpressibleByArgument {}
