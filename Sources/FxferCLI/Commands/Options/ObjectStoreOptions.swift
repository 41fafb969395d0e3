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
                Its key comes from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN), or from \
                ~/.aws/credentials (AWS_PROFILE, AWS_SHARED_CREDENTIALS_FILE). AWS_CA_BUNDLE names a file with the \
                authorities of a store whose certificate the system does not know.
                """,
            valueName: "s3://bucket[/prefix]"
        )
    )
    var store: String?

    @Option(
        name: .customLong("s3-endpoint"),
        help: ArgumentHelp(
            "Where the store is; AWS if neither this nor AWS_ENDPOINT_URL nor ~/.aws/config names it.",
            valueName: "url"
        )
    )
    var endpoint: String?

    @Option(
        name: .customLong("s3-region"),
        help: ArgumentHelp(
            "The bucket's region; us-east-1 if neither this nor AWS_REGION nor ~/.aws/config names it.",
            valueName: "region"
        )
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
        help: ArgumentHelp(
            "How long the store may take for a request (30s if not given); four times that with a part of a file.",
            valueName: "time"
        )
    )
    var timeout: DurationArgument?

    func validate() throws {
        let isStoreMeant = self.endpoint != nil || self.region != nil || self.addressing != nil || self.timeout != nil
        guard self.store != nil || !isStoreMeant else {
            throw ValidationError("--s3-endpoint, --s3-region, --s3-addressing and --s3-timeout go with --store")
        }
        guard self.timeout?.seconds ?? 1 > 0 else {
            throw ValidationError("--s3-timeout takes a time from 1 second on")
        }
    }

    /// For commands that look at what a server has stored: in a directory or in a bucket, one of the two.
    func validate(directory: String?) throws {
        guard (directory == nil) != (self.store == nil) else {
            throw ValidationError("give either the directory of a server or --store s3://BUCKET")
        }
        try Self.refuseBucket(directory, "name it by --store")
    }

    /// Makes sure that a directory's name is not that of a bucket.
    static func refuseBucket(_ directory: String?, _ advice: String) throws {
        guard let directory, directory.hasPrefix("s3://") else { return }
        throw ValidationError("'\(EscapedText.escape(directory))' is a bucket; \(advice)")
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
        let credentials = CredentialsSource(environment)
        var endpoint = self.endpoint ?? value("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
        var region = self.region ?? value("AWS_REGION", "AWS_DEFAULT_REGION")
        if endpoint == nil { endpoint = try credentials.setting("endpoint_url") }
        if region == nil { region = try credentials.setting("region") }
        let bucket = try Bucket(
            store,
            endpoint: endpoint,
            region: region ?? "us-east-1",
            addressing: self.addressing
        )
        var requests = S3Client.Options()
        if let timeout { requests.timeout = timeout.duration }
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
    /// Where the files are, for a person.
    var description: String { "\(self.bucket) at \(self.bucket.origin)" }

    /// Runs `body` with the bucket, of which nothing is open afterwards.
    func withBucket<T>(_ body: (StoredBucket) async throws -> T) async throws -> T {
        let bucket = try await StoredBucket(self.bucket, self.credentials, self.requests)
        let result: T
        do {
            result = try await body(bucket)
        } catch {
            await bucket.close()
            throw error
        }
        await bucket.close()
        return result
    }

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
