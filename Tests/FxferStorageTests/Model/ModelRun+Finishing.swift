import FxferProtocol

@testable import FxferStorage

extension ModelRun {
    /// These clients send what is left and finish at the same time; what comes of it has to be what would come of it one
    /// after the other, in some order.
    func finish(_ clients: [Int]) async throws {
        var finishing: [ModelUpload] = []
        for client in clients {
            guard var upload = self.uploads.removeValue(forKey: client) else { continue }
            while case .staged(let staged) = upload.state, staged.position < upload.file.size {
                try await upload.send()
            }
            finishing.append(upload)
        }
        let results = await Self.publish(finishing)
        for order in Self.orders(of: Array(finishing.indices)) {
            var model = self.model
            let isSo = order.allSatisfy { index in
                let expected = Self.expectation(finishing[index], &model)
                return results[index] == expected
                    || results[index] == .failed(.io) && Self.isReplacedMeanwhile(expected, results)
            }
            // What was told may fit several orders: of files that replaced each other, the last one is there.
            guard isSo, self.hasLast(of: finishing, as: model) else { continue }
            self.model = model
            self.forgetPartials(finishing, results)
            return
        }
        var model = self.model
        let expected = finishing.map { Self.expectation($0, &model) }
        throw ModelMismatch(description: "published \(finishing.map(\.file)): \(results), not \(expected) in any order")
    }

    /// Whether under the paths of these is what the model has there.
    private func hasLast(of uploads: [ModelUpload], as model: StoreModel) -> Bool {
        uploads.allSatisfy { upload in
            guard let file = model.files[upload.file.path] else { return true }
            return (try? self.subject.digest(at: upload.file.path)) == file.digest
        }
    }

    /// Whether the very file that one of these was found to be identical to was replaced by another of them before that
    /// could be confirmed: its sender is told to send it again.
    private static func isReplacedMeanwhile(_ expected: StoreModel.Outcome, _ results: [StoreModel.Outcome]) -> Bool {
        guard case .published(.identical, let path) = expected else { return false }
        return results.contains(.published(.replaced, at: path))
    }

    /// What was left of a file is gone when it was stored, and was taken when it was begun.
    private func forgetPartials(_ finished: [ModelUpload], _ results: [StoreModel.Outcome]) {
        for (upload, result) in zip(finished, results) {
            var isStored = false
            if case .published = result { isStored = true }
            let isConfirmed = if case .existing = upload.state { true } else { false }
            guard upload.isResumable || (isStored && !isConfirmed) else { continue }
            // Another client may be at it.
            if upload.isResumable || !self.isHeld(upload.file.path) { self.partials[upload.file.path] = nil }
        }
    }

    private static func publish(_ uploads: [ModelUpload]) async -> [StoreModel.Outcome] {
        await withTaskGroup { group in
            for (index, upload) in uploads.enumerated() {
                group.addTask { (index, await Self.publish(upload)) }
            }
            var results = uploads.map { _ in StoreModel.Outcome.failed(.internal) }
            for await (index, result) in group { results[index] = result }
            return results
        }
    }

    private static func publish(_ upload: ModelUpload) async -> StoreModel.Outcome {
        do {
            let publication: Publication
            switch upload.state {
            case .staged(let staged): publication = try await staged.publish()
            case .existing(let existing, _, let otherwise):
                publication = try await existing.confirmDurable()
                await otherwise?.discard(keepingPartial: false)
            }
            return .published(publication.outcome, at: publication.path.bytes)
        } catch {
            return .failed(FxferError(wrapping: error).code)
        }
    }

    private static func expectation(_ upload: ModelUpload, _ model: inout StoreModel) -> StoreModel.Outcome {
        guard case .existing(_, let version, _) = upload.state else { return model.publish(upload.file) }
        // The very file that was read, or none.
        guard model.files[upload.file.path]?.version == version else { return .failed(.io) }
        return .published(.identical, at: upload.file.path)
    }

    private static func orders(of items: [Int]) -> [[Int]] {
        guard items.count > 1 else { return [items] }
        return items.indices.flatMap { index in
            var rest = items
            let first = rest.remove(at: index)
            return Self.orders(of: rest).map { [first] + $0 }
        }
    }
}
