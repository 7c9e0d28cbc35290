internal import Bytes
internal import HostModel

/// Decides how the functions of a domain are reset and how they sleep while it is in.
///
/// Each function gets what it offers; a card's audio function cannot do all that the card itself
/// can. Where none of them can do it, that is said.
struct FunctionAttributes: Tuning {
  static let name = "function-attributes"

  func needs(for request: Request) -> FactNeeds {
    var needs = FactNeeds()
    guard request.phase == .prepare else { return needs }
    needs.functionAttributes = wishes(of: request).map(\.attribute)
    if !needs.functionAttributes.isEmpty { needs.functions = request.handedFunctions }
    return needs
  }

  func plan(_ request: Request, on host: HostFacts) -> Plan {
    var plan = Plan(phase: request.phase)
    guard request.phase == .prepare else { return plan }
    let functions = request.handedFunctions.compactMap { address in
      host.functions.first { $0.address == address }
    }
    for wish in wishes(of: request) {
      let able = functions.filter { $0.offers(wish.words, for: wish.attribute) }
      for function in able {
        plan.changes.append(
          Change(
            .functionAttribute(function.address, wish.attribute),
            .exactly(.text(wish.words.joined(separator: " "))),
            because: "policy sets it while \(request.domain.name) is active"))
      }
      if able.isEmpty, !functions.isEmpty {
        plan.warnings.append(
          "no function of \(request.domain.name) takes “\(wish.words.joined(separator: " "))” as "
            + "\(wish.attribute.rawValue)" + offered(wish.attribute, by: functions))
      }
    }
    return plan
  }

  private struct Wish {
    var attribute: FunctionAttribute
    var words: [String]
  }

  private func wishes(of request: Request) -> [Wish] {
    let pci = request.policy.pci
    var wishes: [Wish] = []
    if let methods = pci.resetMethods {
      wishes.append(Wish(attribute: .resetMethod, words: methods))
    }
    if let allowed = pci.allowsD3Cold {
      wishes.append(Wish(attribute: .d3Cold, words: [allowed ? "1" : "0"]))
    }
    if let control = pci.powerControl {
      wishes.append(Wish(attribute: .powerControl, words: [control.rawValue]))
    }
    return wishes
  }

  private func offered(_ attribute: FunctionAttribute, by functions: [FunctionFacts]) -> String {
    guard attribute == .resetMethod else { return "" }
    let offers = functions.compactMap { function in
      function.attributes[attribute].map {
        "\(function.address) offers \($0.isEmpty ? "none" : $0)"
      }
    }
    return offers.isEmpty ? "" : " (\(offers.joined(separator: ", ")))"
  }
}

extension FunctionFacts {
  /// Whether an attribute is there and would take these words.
  fileprivate func offers(_ words: [String], for attribute: FunctionAttribute) -> Bool {
    guard let text = attributes[attribute] else { return false }
    guard attribute == .resetMethod else { return true }
    let offered = text.fields(at: " ").map(String.init)
    return words.allSatisfy(offered.contains)
  }
}
