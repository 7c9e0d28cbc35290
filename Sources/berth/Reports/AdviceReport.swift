internal import Bytes
internal import Advice
internal import HostModel
internal import Places

/// Where a domain could be on a host, and what to write into its configuration.
///
/// The names of its keys are part of what `berth advise --json` promises.
struct AdviceReport: Encodable {
  var wish: WishReport
  /// The best first.
  var candidates: [Place]
  /// Why there is none; empty where there is one.
  var shortages: [String]
  var notes: [String]
  /// For which hypervisor the text has its lines.
  var format: String

  struct WishReport: Encodable {
    @Nullable var domain: String?
    var vcpus: Int
    var memoryKiB: Int
    var `for`: String
    var pci: [Function]
  }

  struct Function: Encodable {
    var address: String
    @Nullable var node: Int?
  }

  struct Place: Encodable {
    /// 0 without a flaw; the lower the better.
    var score: Int
    var nodes: [Int]
    var caches: [Cache]
    var cores: [String]
    @Nullable var kind: String?
    /// The CPU of each vCPU.
    var vcpus: [Int]
    /// The threads of its cores that no vCPU is on and that stay idle.
    var idle: String
    var emulator: String
    var iothreads: [Thread]
    var cells: [Cell]
    @Nullable var pageKiB: Int?
    var guest: Shape
    /// The CPUs that are left to the host.
    var housekeeping: String
    /// Whether the domain's vCPUs are there already.
    var present: Bool
    var merits: [String]
    var costs: [Flaw]
    /// What differs from what the domain has; empty without a domain.
    var differences: [String]
    var libvirt: Lines
    var proxmox: Lines
  }

  struct Cache: Encodable {
    var cpus: String
    @Nullable var kiB: Int?
  }

  struct Thread: Encodable {
    var id: Int
    var cpus: String
  }

  struct Cell: Encodable {
    var vcpus: String
    var node: Int
    var memoryNode: Int
    var memoryKiB: Int
  }

  struct Shape: Encodable {
    var sockets: Int
    var dies: Int
    var cores: Int
    var threads: Int
  }

  struct Flaw: Encodable {
    var points: Int
    var reason: String
  }

  struct Lines: Encodable {
    var configuration: [String]
    var policy: [String]
    var remarks: [String]
  }
}

extension AdviceReport {
  init(
    _ advice: Advice, _ wish: Wish, _ domain: Domain?, _ survey: HostSurvey, format: Hypervisor
  ) {
    self.wish = WishReport(wish, domain)
    let context = SnippetContext(
      premises: survey.premises, section: domain?.policySection,
      hasFunctions: !wish.functions.isEmpty, arguments: domain?.proxmox?.arguments)
    candidates = advice.candidates.map { candidate in
      Place(candidate, context, candidate.differences(from: domain, survey))
    }
    shortages = advice.shortages
    notes = advice.notes
    self.format = format.rawValue
  }
}

extension AdviceReport.WishReport {
  init(_ wish: Wish, _ domain: Domain?) {
    self.init(
      domain: domain?.name, vcpus: wish.vcpus, memoryKiB: wish.memoryKiB, for: wish.goal.rawValue,
      pci: wish.functions.map {
        AdviceReport.Function(address: "\($0.address)", node: $0.node)
      })
  }
}

extension AdviceReport.Place {
  init(_ candidate: Candidate, _ context: SnippetContext, _ differences: [String]) {
    self.init(
      score: candidate.score, nodes: candidate.nodes,
      caches: candidate.caches.filter(\.isReal).map {
        AdviceReport.Cache(cpus: "\($0.cpus)", kiB: $0.kiB)
      },
      cores: candidate.cores.map { "\($0)" }, kind: candidate.kind?.rawValue,
      vcpus: candidate.vcpus, idle: "\(candidate.idle)", emulator: "\(candidate.emulator)",
      iothreads: candidate.iothreads.map { AdviceReport.Thread(id: $0.id, cpus: "\($0.cpus)") },
      cells: candidate.cells.map(AdviceReport.Cell.init), pageKiB: candidate.pageKiB,
      guest: AdviceReport.Shape(
        sockets: candidate.shape.sockets, dies: candidate.shape.dies,
        cores: candidate.shape.cores, threads: candidate.shape.threads),
      housekeeping: "\(candidate.housekeeping)", present: candidate.isPresent,
      merits: candidate.merits,
      costs: candidate.costs.map { AdviceReport.Flaw(points: $0.points, reason: $0.reason) },
      differences: differences,
      libvirt: AdviceReport.Lines(candidate.snippet(for: .libvirt, context)),
      proxmox: AdviceReport.Lines(candidate.snippet(for: .proxmox, context)))
  }
}

extension AdviceReport.Cell {
  init(_ cell: Candidate.Cell) {
    self.init(
      vcpus: "\(cell.vcpus)", node: cell.node, memoryNode: cell.memoryNode,
      memoryKiB: cell.memoryKiB)
  }
}

extension AdviceReport.Lines {
  init(_ snippet: Snippet) {
    self.init(
      configuration: snippet.configuration, policy: snippet.policy, remarks: snippet.remarks)
  }
}

extension Domain {
  /// What the policy file knows the domain by: a vmid, a name that is no glob, else the UUID.
  fileprivate var policySection: String {
    if let vmid { return vmid }
    let isPlain = name.utf8.allSatisfy { byte in
      byte.isDigit || byte.isLetter || " ._-".utf8.contains(byte)
    }
    return isPlain && !VMReference(name).isID ? name : id ?? name
  }
}

extension Candidate {
  /// What the candidate would change of a domain, one sentence each.
  fileprivate func differences(from domain: Domain?, _ survey: HostSurvey) -> [String] {
    guard let domain else { return [] }
    var sentences: [String] = []
    let advised = vcpus.map(String.init).joined(separator: " ")
    if let pins = survey.presentPins(of: domain) {
      if pins != vcpus {
        sentences.append(
          "vCPUs: now on \(pins.map(String.init).joined(separator: " ")), here on \(advised)")
      }
    } else if domain.vcpuPins.isEmpty, let affinity = domain.proxmox?.affinity {
      if affinity != CPUList(vcpus).union(emulator) {
        sentences.append("affinity: now \(affinity), here \(CPUList(vcpus).union(emulator))")
      }
    } else {
      sentences.append("vCPUs: now not pinned to one CPU each, here on \(advised)")
    }
    let present = survey.running?.emulator ?? domain.emulatorPin
    if domain.hypervisor == .libvirt, present != emulator {
      sentences.append(
        "emulator: now \(present.map { "on \($0)" } ?? "not pinned"), here on \(emulator)")
    }
    return sentences + memoryDifferences(from: domain)
  }

  private func memoryDifferences(from domain: Domain) -> [String] {
    var sentences: [String] = []
    let nodes = domain.cells.compactMap(\.hostNodes).reduce(CPUList()) { $0.union($1) }
    let advised = CPUList(cells.map(\.memoryNode))
    if nodes != advised {
      sentences.append(
        "memory: now from \(nodes.isEmpty ? "any node" : "node \(nodes)"), here from node \(advised)"
      )
    }
    let sizes = Set(domain.cells.map(\.pageKiB))
    if sizes != [pageKiB], sizes != [0] || pageKiB == nil {
      sentences.append(
        "pages: now \(Self.title(domain.cells.first?.pageKiB)), here \(Self.title(pageKiB))")
    }
    if domain.cells.count != cells.count {
      sentences.append("guest nodes: now \(domain.cells.count), here \(cells.count)")
    }
    return sentences
  }

  private static func title(_ pageKiB: Int?) -> String {
    switch pageKiB {
    case nil: "ordinary ones"
    case 0: "huge ones of the host's default size"
    case let size?: "of \(PageSize(kiB: size))"
    }
  }
}
