import FxferProtocol

@testable import FxferStorage

extension ModelRun {
    /// What the store has to answer about a file that is offered.
    private enum Expected {
        case failed(FxferError.Code)
        case unchanged
        case existing(StoreModel.Stored)
        case received
    }

    func offer(_ client: Int, _ file: ModelFile, _ comparison: Comparison) async throws {
        try await self.drop([client])
        let path = try RelativePath(bytes: file.path)
        // As a server does: what may be on its way already is staged without asking.
        if comparison == .afterwards, let staged = self.subject.store.stageInMemory(path, file.attributes) {
            try ModelMismatch.require(file.size <= 32 << 10 && file.isSizeKnown, "a large file is held in memory")
            self.uploads[client] = ModelUpload(file: file, isResumable: false, state: .staged(staged), isInMemory: true)
            return
        }
        let comparison = file.isSizeKnown || comparison != .bySizeAndTime ? comparison : .byDigest
        let expected = self.expectation(file, comparison)
        do {
            let staging = try await self.subject.store.stage(path, file.attributes, comparison)
            self.uploads[client] = try self.upload(file, comparison, staging, expected)
        } catch let error as FxferError {
            guard case .failed(error.code) = expected else {
                throw ModelMismatch(description: "\(file) is refused with \(error.code), not \(expected)")
            }
        }
    }

    private func expectation(_ file: ModelFile, _ comparison: Comparison) -> Expected {
        if let code = self.model.obstacle(file.path) { return .failed(code) }
        let begun: Expected = self.isHeld(file.path) && file.isResumable(comparison) ? .failed(.busy) : .received
        if self.model.folders.contains(file.path) {
            return self.model.policy == .keepBoth ? begun : .failed(.exists)
        }
        guard let there = self.model.files[file.path] else { return begun }
        let isSameSize = file.isSizeKnown && there.size == file.size
        guard isSameSize || !file.isSizeKnown || self.model.policy != .refuse else { return .failed(.exists) }
        guard isSameSize, comparison != .afterwards else { return begun }
        if comparison == .bySizeAndTime, there.modified == file.attributes.modified { return .unchanged }
        if self.model.policy != .refuse, case .failed = begun { return begun }
        return .existing(there)
    }

    private func upload(
        _ file: ModelFile,
        _ comparison: Comparison,
        _ staging: Staging<DirectoryStagedFile>,
        _ expected: Expected
    ) throws -> ModelUpload? {
        let isResumable = file.isResumable(comparison)
        switch (staging, expected) {
        case (.unchanged, .unchanged):
            return nil
        case (.existing(let existing, let otherwise, let decayed), .existing(let there)):
            try ModelMismatch.require(existing.digest == there.digest, "another file is compared")
            try ModelMismatch.require(decayed == nil, "a file is taken for one that has decayed")
            try ModelMismatch.require((otherwise == nil) == (self.model.policy == .refuse), "other content is taken")
            let isSame = there.digest == file.digest
            if !isSame, otherwise == nil { return nil }
            var upload = ModelUpload(
                file: file,
                isResumable: isResumable && otherwise != nil,
                state: .existing(existing, version: there.version, otherwise: otherwise)
            )
            if isResumable, otherwise != nil { self.startAnew(file) }
            if !isSame, let otherwise { upload.state = .staged(otherwise) }
            return upload
        case (.fresh(let staged), .received):
            try ModelMismatch.require(staged.position == 0, "a fresh file has bytes")
            let left = isResumable ? self.partials.removeValue(forKey: file.path) ?? [] : []
            let isUsable = left.contains { $0.isCertain && $0.places[0] <= file.size }
            try ModelMismatch.require(!isUsable, "what was left is not gone on with")
            return ModelUpload(file: file, isResumable: isResumable, state: .staged(staged))
        case (.partial(let staged), .received):
            return try self.resume(file, staged)
        default:
            throw ModelMismatch(description: "\(file) is answered with \(staging), not \(expected)")
        }
    }

    /// A file that is begun anew where a part of one is left: until its first part is there, a crash leaves that.
    private func startAnew(_ file: ModelFile) {
        for index in self.partials[file.path]?.indices ?? 0..<0 { self.partials[file.path]?[index].isCertain = false }
    }

    private func resume(_ file: ModelFile, _ staged: DirectoryStagedFile) throws -> ModelUpload {
        let position = Int(staged.position)
        let partials = self.partials.removeValue(forKey: file.path) ?? []
        let left = partials.first { partial in
            let places = partial.places.filter { $0 <= file.size }
            return (partial.isCertain ? places.last == position : places.contains(position))
                && staged.runningDigest() == partial.file.digest(upTo: position)
        }
        guard let left else {
            throw ModelMismatch(description: "\(file) is resumed at \(position), left are \(partials)")
        }
        var upload = ModelUpload(file: file, isResumable: true, state: .staged(staged))
        upload.places = left.places.filter { $0 <= position }
        // The sender compares what is there with its own.
        guard staged.runningDigest() != file.digest(upTo: position) else { return upload }
        staged.restart()
        try ModelMismatch.require(staged.position == 0, "a file that begins anew has bytes")
        // Until the next part, the old ones are on the disk.
        self.partials[file.path] = [StoreModel.Partial(file: left.file, places: upload.places, isCertain: false)]
        upload.places = []
        return upload
    }
}
