//! The whole policy at a glance: a change of it shows as a change of this golden file.

use berth_access::{Access, Permission, Role, Scope};

#[tokio::test]
async fn who_may_do_what() {
    let access = Access::load().await.expect("the policy can be read");
    let mut matrix = String::new();
    for permission in Permission::ALL {
        let name = format!("{}:{}", permission.object(), permission.action());
        let cells = Role::ALL.map(|role| match access.scope_of(role, *permission) {
            Some(Scope::Any) => format!("{}=any", role.as_str()),
            Some(Scope::Own) => format!("{}=own", role.as_str()),
            None => format!("{}=-", role.as_str()),
        });
        matrix.push_str(&format!("{name:24} {}\n", cells.join(" ")));
    }
    insta::assert_snapshot!(matrix);
}

#[tokio::test]
async fn every_permission_is_somebodys() {
    let access = Access::load().await.expect("the policy can be read");
    for permission in Permission::ALL {
        assert!(
            Role::ALL
                .iter()
                .any(|role| access.scope_of(*role, *permission).is_some()),
            "nobody may {}:{}; is its line in policy.csv spelt right?",
            permission.object(),
            permission.action(),
        );
    }
}
