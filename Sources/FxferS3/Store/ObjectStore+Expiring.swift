import FxferProtocol
import FxferStorage

/// What interrupted uploads have left, at this node or another.
extension ObjectStore {
    /// How long a tail that belongs to nothing stays at the least: what it belongs to may be written just now.
    private static var orphanAge: Duration { .seconds(60 * 60) }

    /// Removes what nobody has gone on with for as long as the options say, then the oldest as long as all that is left is
    /// too large; and what nodes that were killed have left. Answers how many files.
    ///
    /// - Throws: `.io`, `.busy`; `CancellationError`.
    package func expirePartials() async throws -> Int {
        do {
            return try await self.expire()
        } catch let error as S3Error {
            throw FxferError(
                error.isTemporary ? .busy : .io,
                "cannot look through what uploads have left in the object store: \(error.explanation)",
                cause: error
            )
        }
    }

    private struct Left {
        let key: [UInt8]
        let tag: String
        let record: UploadRecord?
        let age: Int64
    }

    private func expire() async throws -> Int {
        var left: [Left] = []
        try await self.client.forEachPage(self.names.uploads) { page in
            for object in page.objects {
                guard let answer = try await self.client.record(object.key, limit: UploadRecord.maxBytes),
                    let tag = answer.tag, let age = answer.age
                else { continue }
                left.append(Left(key: object.key, tag: tag, record: UploadRecord(answer.body), age: age))
            }
        }
        left.sort { $0.age > $1.age }
        // No integer: what records say may add up beyond all of them.
        var total = left.reduce(0) { $0 + Double($1.record?.length ?? 0) }
        var kept: [UploadRecord] = []
        var count = 0
        for item in left {
            // One that somebody has is written again and again, unless its sender is silent: he may be, for a while.
            let leave = item.record?.isFree ?? true ? .zero : max(self.options.takeOverAfter, Self.orphanAge)
            let isOld = .seconds(item.age) > max(self.options.keepPartialsFor, leave)
            let isTooMuch = total > Double(self.options.maxPartialBytes) && self.isIdle(item)
            if isOld || isTooMuch, try await self.remove(item) {
                total -= Double(item.record?.length ?? 0)
                count += 1
            } else if let record = item.record {
                kept.append(record)
            }
        }
        try await self.removeTails(beside: kept)
        return count
    }

    private func isIdle(_ item: Left) -> Bool {
        item.record?.isFree ?? true || .seconds(item.age) > self.options.takeOverAfter * 2
    }

    /// Takes it over first, so that nobody goes on with what is being removed. False where somebody does already.
    private func remove(_ item: Left) async throws -> Bool {
        if var record = item.record {
            record.owner = RandomID.make()
            record.isFree = false
            record.isDoomed = true
            record.serial &+= 1
            do {
                try await self.client.put(item.key, record.encoded, .matches(item.tag))
            } catch let error as S3Error where error.isPreconditionFailed {
                return false
            }
            do {
                try await self.end(record)
            } catch let error as FxferError where error.code == .busy {
                return false
            }
        }
        try await self.client.delete(item.key)
        return true
    }

    private func removeTails(beside kept: [UploadRecord]) async throws {
        let patience = max(self.options.keepPartialsFor, Self.orphanAge)
        guard let now = try await self.client.list(self.names.tails, limit: 1).now else { return }
        let tails = Set(kept.compactMap { $0.tail?.name })
        try await self.client.forEachPage(self.names.tails) { page in
            for object in page.objects {
                let name = String(decoding: object.key.dropFirst(self.names.tails.count), as: UTF8.self)
                guard !tails.contains(name), object.age(at: now) > patience else { continue }
                try await self.client.delete(object.key)
            }
        }
    }
}
