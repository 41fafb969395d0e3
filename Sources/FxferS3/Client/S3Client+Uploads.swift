import FxferProtocol
import NIOCore
import NIOHTTP1

/// A part of an upload that the store has.
struct StoredPart: Hashable, Sendable {
    /// From 1 on.
    let number: Int
    let size: UInt64
    let tag: String
    /// In base64, where the store has told it or it was sent there.
    let checksum: String?
}

/// Uploads in parts: an object that is seen when it is complete, and not before.
extension S3Client {
    /// The most parts that an upload may have.
    static let maxParts = 10_000

    /// The largest part that an upload may have, in bytes: 5 GiB.
    static let largestPart: UInt64 = 5 << 30

    /// Begins an upload; answers its id.
    func beginUpload(_ key: [UInt8], headers: [(String, String)]) async throws -> String {
        var request = S3Request(.POST, key).asking("uploads")
        for (name, value) in headers { request.setHeader(name, value) }
        request.setHeader("x-amz-checksum-algorithm", "SHA256")
        let answer = try await self.perform(request)
        guard let id = answer.document("InitiateMultipartUploadResult")?["UploadId"], Self.isUploadID(id) else {
            throw self.nonsense("no upload id", request)
        }
        return id
    }

    /// It is sent back and written down.
    static func isUploadID(_ id: String) -> Bool {
        (1...1024).contains(id.utf8.count) && id.utf8.allSatisfy { (0x21..<0x7F).contains($0) }
    }

    /// Stores a part. The store refuses it where what arrives has another digest.
    func putPart(_ number: Int, of id: String, _ key: [UInt8], _ body: ByteBuffer) async throws -> StoredPart {
        var request = S3Request(.PUT, key)
            .asking("partNumber", "\(number)")
            .asking("uploadId", id)
            .sending(body)
        let checksum = Base64.encode(request.bodyDigest.bytes)
        request.setHeader("x-amz-checksum-sha256", checksum)
        request.mayTakeLong = true
        let answer = try await self.perform(request)
        guard let tag = answer.tag else { throw self.nonsense("no entity tag", request) }
        return StoredPart(number: number, size: UInt64(body.readableBytes), tag: tag, checksum: checksum)
    }

    /// Makes the object of its parts. Not repeated: whoever asks has to see what became of it.
    ///
    /// - Parameter isNew: whether nothing may have the name, as far as the store looks at that here.
    /// - Throws: ``S3Error``; where it is one of those that may pass, the object may be there or may come yet.
    func completeUpload(_ id: String, _ key: [UInt8], _ parts: [StoredPart], isNew: Bool) async throws {
        var text = "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
        for part in parts {
            text += "<Part><PartNumber>\(part.number)</PartNumber><ETag>\"\(XMLText.escape(part.tag))\"</ETag>"
            if let checksum = part.checksum { text += "<ChecksumSHA256>\(XMLText.escape(checksum))</ChecksumSHA256>" }
            text += "</Part>"
        }
        text += "</CompleteMultipartUpload>"
        var request = S3Request(.POST, key).asking("uploadId", id).sending(ByteBuffer(string: text))
        request.setHeader("content-type", "application/xml")
        if isNew { request.setHeader("if-none-match", "*") }
        request.mayTakeLong = true
        let answer = try await self.attempt(request)
        // The status is sent before the work is done, and an error may follow it.
        guard answer.document("CompleteMultipartUploadResult") != nil else {
            if let error = answer.document("Error") {
                let code = error["Code"] ?? ""
                throw S3Error(reason: .answered(status: 500, code: code), request: self.name(of: request))
            }
            throw self.nonsense("neither success nor failure", request)
        }
    }

    /// Gives an upload up; nothing where there is none.
    func abortUpload(_ id: String, _ key: [UInt8]) async throws {
        do {
            _ = try await self.perform(S3Request(.DELETE, key).asking("uploadId", id))
        } catch let error as S3Error where error.isWithoutUpload {
        }
    }

    /// The parts that the store has of an upload, in their order, together no larger than a file may be; nil where there
    /// is no such upload.
    func parts(of id: String, _ key: [UInt8]) async throws -> [StoredPart]? {
        var parts: [StoredPart] = []
        var total: UInt64 = 0
        var marker = 0
        while true {
            var request = S3Request(.GET, key).asking("uploadId", id)
            if marker > 0 { request = request.asking("part-number-marker", "\(marker)") }
            request.answerLimit = 4 << 20
            let answer: S3Answer
            do {
                answer = try await self.perform(request)
            } catch let error as S3Error where error.isWithoutUpload {
                return nil
            }
            guard let document = answer.document("ListPartsResult") else { throw self.nonsense("no list", request) }
            for element in document.all("Part") {
                guard let number = element["PartNumber"].flatMap({ Int($0) }), number > (parts.last?.number ?? 0),
                    number <= Self.maxParts,
                    let size = element["Size"].flatMap({ UInt64($0) }), size <= Self.largestPart,
                    total + size <= FileAttributes.maxSize,
                    let tag = element["ETag"].flatMap(S3Answer.tag(of:))
                else { throw self.nonsense("a part that cannot be", request) }
                total += size
                parts.append(StoredPart(number: number, size: size, tag: tag, checksum: element["ChecksumSHA256"]))
            }
            guard document["IsTruncated"] == "true" else { return parts }
            guard let last = parts.last?.number, last > marker else { throw self.nonsense("an endless list", request) }
            marker = last
        }
    }

    /// `2026-11-28T17:17:12.000Z`, with any number of digits behind the second.
    static func seconds(_ text: String) -> Int64? {
        FileTime(rfc3339: "\(text.prefix(19)).000000000Z")?.seconds
    }
}

/// Text in XML.
enum XMLText {
    static func escape(_ text: String) -> String {
        var escaped = ""
        for character in text.unicodeScalars {
            switch character {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            default: escaped.unicodeScalars.append(character)
            }
        }
        return escaped
    }
}
