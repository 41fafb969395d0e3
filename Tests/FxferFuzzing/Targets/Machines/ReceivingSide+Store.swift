@testable import FxferProtocol

/// What the store does beside the frames that come in.
extension ReceivingSide {
    /// How many things the store has to do.
    var workCount: Int { self.staging.count + self.committing.count }

    /// Does one of them.
    mutating func work(_ index: Int) throws(BrokenRule) {
        guard self.workCount > 0 else { return }
        let index = index % self.workCount
        if index < self.staging.count {
            try self.stageNow(self.staging[index])
        } else {
            try self.commit(self.committing[index - self.staging.count])
        }
    }

    /// The store answers about a file that was offered.
    mutating func stageNow(_ id: FileID) throws(BrokenRule) {
        guard self.takeFromStaging(id), let file = self.files[id] else { return }
        if self.mayFail() { return self.fail(id) }
        let offer = file.offer
        let isLarge = offer.attributes.size.map { $0 > self.receiver.chunkSize } ?? false
        let isCompared = offer.comparison != .afterwards || isLarge
        let stored = self.store.files[offer.path]
        let answer: Frame?
        if isCompared, let stored, UInt64(stored.content.count) == offer.attributes.size {
            if offer.comparison == .bySizeAndTime, stored.hasTime {
                answer = self.receiver.same(id)
                self.files[id] = nil
            } else {
                self.files[id]?.existing = stored
                let content = FilePrefix(ofContent: stored.content)
                if content.length > 0 { self.output.append(.reading(Reading(file: id, length: content.length))) }
                let canRestart = self.store.policy != .refuse
                answer = self.receiver.existing(id, content, canRestart: canRestart, decay: stored.decay)
            }
        } else if isCompared, let partial = self.store.partials.removeValue(forKey: offer.path),
            offer.attributes.size.map({ partial.count <= $0 }) ?? false
        {
            self.files[id]?.content = partial
            self.files[id]?.kept = partial.count
            self.output.append(.reading(Reading(file: id, length: UInt64(partial.count))))
            answer = self.receiver.staged(id, FilePrefix(ofContent: partial))
        } else {
            answer = self.receiver.staged(id)
        }
        guard let answer else {
            // It was given up meanwhile.
            self.drop(id)
            return
        }
        self.output.append(answer)
    }

    /// The store has published a file, or could not.
    private mutating func commit(_ id: FileID) throws(BrokenRule) {
        guard let file = self.takeFromCommitting(id), let finish = file.finish else { return }
        let isExisting = file.existing != nil && !file.isRepair
        let bytes = isExisting ? self.store.files[file.offer.path]?.content : file.content
        // One that was there may have been replaced since it was read.
        guard let bytes, !isExisting || FilePrefix(ofContent: bytes) == finish, !self.mayFail(),
            let (outcome, path) = self.store.publish(bytes, at: file.offer.path, repairing: file.isRepair)
        else {
            self.refuse(self.receiver.failed(id, FxferError(.exists, "it exists")))
            return
        }
        try require(FilePrefix(ofContent: bytes) == finish, "what is published is not what FINISH named")
        let receipt = self.receiver.committed(id, outcome, at: try? RelativePath(bytes: path))
        try require(receipt.content == finish && receipt.path == path, "a receipt names another file")
        self.drop(id)
        self.output.append(.receipt(receipt))
    }

    /// The connection is lost: what is verified of large files is kept.
    mutating func disconnect() {
        for id in self.files.keys.sorted() where !self.committing.contains(id) { self.drop(id, keepingPartial: true) }
        // What is being committed is, whether anybody waits for it or not.
        while !self.committing.isEmpty { try? self.commit(self.committing[0]) }
    }
}
