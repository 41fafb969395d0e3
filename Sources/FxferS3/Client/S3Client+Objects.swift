import FxferProtocol
import NIOCore
import NIOHTTP1

/// On what a request that writes insists.
enum WriteCondition: Hashable, Sendable {
    case none
    /// Nothing has the name.
    case absent
    /// What has the name has this entity tag.
    case matches(String)
}

/// Requests about single objects.
extension S3Client {
    /// Stores a whole object; answers its entity tag.
    ///
    /// The store refuses it where what arrives has another digest.
    ///
    /// - Throws: ``S3Error``, also where the condition does not hold; `CancellationError`.
    @discardableResult
    func put(
        _ key: [UInt8],
        _ body: ByteBuffer,
        digest: Digest? = nil,
        headers: [(String, String)] = [],
        _ condition: WriteCondition = .none
    ) async throws -> String {
        var request = S3Request(.PUT, key).sending(body, digest: digest)
        for (name, value) in headers { request.setHeader(name, value) }
        request.setHeader("x-amz-checksum-sha256", Base64.encode(request.bodyDigest.bytes))
        switch condition {
        case .none: break
        case .absent: request.setHeader("if-none-match", "*")
        // Without quotation marks: Ceph's gateway compares it as it comes, others take them off.
        case .matches(let tag): request.setHeader("if-match", tag)
        }
        let answer = try await self.perform(request)
        guard let tag = answer.tag else { throw self.nonsense("no entity tag", request) }
        return tag
    }

    /// Asks for an object's headers; nil where there is none of that name.
    func head(_ key: [UInt8]) async throws -> S3Answer? {
        do {
            return try await self.perform(S3Request(.HEAD, key))
        } catch let error as S3Error where error.isMissing {
            return nil
        }
    }

    /// Reads a small object whole; nil where there is none of that name.
    ///
    /// - Throws: ``S3Error``, also where it has more than `limit` bytes.
    func get(_ key: [UInt8], limit: Int) async throws -> S3Answer? {
        var request = S3Request(.GET, key)
        request.answerLimit = limit
        do {
            return try await self.perform(request)
        } catch let error as S3Error where error.isMissing {
            return nil
        }
    }

    /// Reads a small object whole, as ``get(_:limit:)``; of one that has more than `limit` bytes the headers alone, with
    /// an empty body: it is no record of this store, and may be dealt with like any that makes no sense.
    func record(_ key: [UInt8], limit: Int) async throws -> S3Answer? {
        var request = S3Request(.GET, key)
        request.answerLimit = limit
        request.mayBeTooLong = true
        do {
            return try await self.perform(request)
        } catch let error as S3Error where error.isMissing {
            return nil
        }
    }

    /// Reads the bytes in `range` of the object as it was when it had that tag.
    ///
    /// - Throws: ``S3Error``, with a failed precondition where it is another by now.
    func get(_ key: [UInt8], _ range: Range<UInt64>, tag: String) async throws -> ByteBuffer {
        guard !range.isEmpty else { return ByteBuffer() }
        var request = S3Request(.GET, key)
            .with("range", "bytes=\(range.lowerBound)-\(range.upperBound - 1)")
            .with("if-match", tag)
        let count = Int(range.upperBound - range.lowerBound)
        request.answerLimit = count
        for attempt in 1... {
            let answer = try await self.perform(request)
            // What a connection that was closed early brings may look whole.
            if answer.body.readableBytes == count { return answer.body }
            guard attempt < self.options.attempts else { break }
        }
        throw self.nonsense("\(count) bytes were asked for, others came", request)
    }

    /// Removes an object; nothing where there is none.
    func delete(_ key: [UInt8]) async throws {
        do {
            _ = try await self.perform(S3Request(.DELETE, key))
        } catch let error as S3Error where error.isMissing {
        }
    }
}
