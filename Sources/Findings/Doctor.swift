internal import HostModel

/// Looks a host over.
package enum Doctor {
  /// All that is found, the worst first; of one severity what concerns the host before what concerns
  /// its domains.
  package static func findings(
    on host: ExaminedHost, of domains: [ExaminedDomain]
  ) -> [Finding] {
    var found: [Finding] = []
    for check in CheckCatalog.ofHosts {
      found += check.findings(on: host).map { named($0, type(of: check).name) }
    }
    for domain in domains {
      for check in CheckCatalog.ofDomains {
        found += check.findings(of: domain, on: host).map { finding in
          var finding = named(finding, type(of: check).name)
          finding.domain = domain.domain.name
          return finding
        }
      }
    }
    return Finding.Severity.allCases.reversed().flatMap { severity in
      found.filter { $0.severity == severity }
    }
  }

  private static func named(_ finding: Finding, _ check: String) -> Finding {
    var finding = finding
    finding.check = check
    return finding
  }
}
