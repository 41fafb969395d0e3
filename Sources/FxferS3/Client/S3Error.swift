import FxferProtocol
import NIOHTTP1

/// A request to the store that did not do what it should.
struct S3Error: Error, Sendable {
    /// What became of it.
    enum Reason: Hashable, Sendable {
        /// The store has answered with this status and, where it names one, this code of its own.
        case answered(status: Int, code: String, region: String? = nil)
        /// No connection, or one that broke, or the answer was too long in coming. Whether the request was carried out is
        /// not known.
        case unreachable(String)
        /// The answer is none that a store gives: cut off, too long, without what it has to have.
        case nonsense(String)
    }

    let reason: Reason
    /// What was asked, for messages: `PUT of 'a/b'`.
    let request: String

    /// The name is not there, or what the request goes on with.
    var isMissing: Bool {
        switch self.reason {
        case .answered(404, _, _): true
        case .answered(_, let code, _): ["NoSuchKey", "NoSuchUpload"].contains(code)
        case .unreachable, .nonsense: false
        }
    }

    /// The upload that it was about is not there any more.
    var isWithoutUpload: Bool {
        guard case .answered(_, let code, _) = self.reason else { return false }
        // Ceph's gateway says the latter of the list of its parts. No 404 of somebody between is taken for one of these.
        return code == "NoSuchUpload" || code == "NoSuchKey"
    }

    /// The upload has other parts than it was to be completed with, or something has the name: whoever asks again is told
    /// the same.
    var refusesCompletion: Bool {
        guard case .answered(_, let code, _) = self.reason else { return false }
        return self.isPreconditionFailed || ["InvalidPart", "InvalidPartOrder", "EntityTooSmall"].contains(code)
    }

    /// The condition that the request made does not hold: another writer was first.
    var isPreconditionFailed: Bool {
        switch self.reason {
        case .answered(412, _, _), .answered(_, "PreconditionFailed", _), .answered(_, "ConditionalRequestConflict", _):
            true
        default: false
        }
    }

    /// Trying again may help, without anything being changed.
    var isTemporary: Bool {
        switch self.reason {
        case .unreachable: true
        case .nonsense: true
        case .answered(let status, let code, _):
            [429, 500, 502, 503, 504].contains(status)
                || ["SlowDown", "InternalError", "RequestTimeout", "ServiceUnavailable", "Throttling"].contains(code)
        }
    }

    /// Whether others may be had though this one is not.
    var isAboutOneObject: Bool {
        switch self.reason {
        case .unreachable: false
        case .nonsense: true
        case .answered: !self.isTemporary && !self.isAboutCredentials
        }
    }

    /// Other credentials may help, where there are newer ones.
    var isAboutCredentials: Bool {
        guard case .answered(_, let code, _) = self.reason else { return false }
        return ["ExpiredToken", "InvalidToken", "InvalidAccessKeyId", "TokenRefreshRequired"].contains(code)
    }

    /// What happened, as the end of a sentence about the store.
    var explanation: String {
        switch self.reason {
        case .unreachable(let why): "it cannot be reached (\(why))"
        case .nonsense(let why): "its answer makes no sense (\(why))"
        case .answered(let status, let code, let region):
            switch code {
            case "InvalidAccessKeyId": "it does not know the access key"
            case "SignatureDoesNotMatch": "the secret key is wrong"
            case "RequestTimeTooSkewed": "this machine's clock and its own differ by too much; set the clock"
            case "ExpiredToken", "TokenRefreshRequired", "InvalidToken": "the session token has expired or is wrong"
            case "AccessDenied": "the key has no right to that (AccessDenied at \(self.request))"
            case "NoSuchBucket": "there is no such bucket"
            case "XAmzContentSHA256Mismatch", "BadDigest": "what arrived there had another digest than what was sent"
            case _ where self.isAboutRegion:
                region.map { "the bucket is in the region \($0); name it by --s3-region" }
                    ?? "the bucket is in another region; name it by --s3-region"
            case "SlowDown", "ServiceUnavailable": "it is overloaded"
            case "": "it says no more than status \(status)"
            default: "\(EscapedText.words(String(code.prefix(64)))), status \(status)"
            }
        }
    }

    /// The error of a server that cannot begin with its store.
    func opening(_ bucket: Bucket) -> FxferError {
        let code: FxferError.Code
        switch self.reason {
        case .unreachable: code = .cannotConnect
        case .nonsense: code = .io
        case .answered(let status, let name, _):
            switch (status, name) {
            case _ where self.isAboutRegion: code = .usage
            case (404, _), (_, "NoSuchBucket"): code = .noInput
            case (401, _), (403, _): code = .notPermitted
            default: code = self.isTemporary ? .cannotConnect : .io
            }
        }
        return FxferError(
            code,
            "cannot use \(bucket) at \(bucket.origin): \(self.explanation)\(self.advice(bucket))",
            cause: self
        )
    }

    private func advice(_ bucket: Bucket) -> String {
        if self.isForeign { return "; is that an S3 server, and --s3-endpoint right?" }
        // What speaks TLS ends a connection that begins otherwise.
        let isClosed = self.reason == .unreachable(ConnectionFailure.closed)
        return isClosed && !bucket.isSecure ? "; is it https:// in place of http://?" : ""
    }

    /// Whether it looks as if something else than an S3 server had answered.
    private var isForeign: Bool {
        switch self.reason {
        case .answered(let status, "", _): (300..<500).contains(status)
        case .nonsense: true
        default: false
        }
    }

    private var isAboutRegion: Bool {
        guard case .answered(_, let code, _) = self.reason else { return false }
        return ["PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException"].contains(
            code
        )
    }

    /// The error of a transfer that met this. What may pass is `.busy`: the sender tries again and goes on.
    func transfer(_ operation: String, _ path: RelativePath) -> FxferError {
        let code: FxferError.Code = self.isTemporary ? .busy : self.isAboutSpace ? .noSpace : .io
        return FxferError(
            code,
            "cannot \(operation) '\(path)' in the object store: \(self.explanation)",
            cause: self
        )
    }

    private var isAboutSpace: Bool {
        guard case .answered(_, let code, _) = self.reason else { return false }
        return ["QuotaExceeded", "InsufficientCapacity", "EntityTooLarge", "StorageFull", "XMinioStorageFull"]
            .contains(code)
    }
}

/// Runs requests for `path`, and tells one that fails as a failure of `operation` on it.
func storing<T>(
    _ operation: String,
    _ path: RelativePath,
    _ body: () async throws -> T
) async throws -> T {
    do {
        return try await body()
    } catch let error as S3Error {
        throw error.transfer(operation, path)
    }
}
