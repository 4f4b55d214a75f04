/// The typed accessor of a [`UserSettings`](struct@UserSettings) in Redis: a method for each field, and through [`Record`](::redis_hashmap::Record) the operations on the whole.
pub struct UserSettingsHash<E = ::redis_hashmap::Deferred>(
    ::redis_hashmap::Record<UserSettings, E>,
);
#[automatically_derived]
#[allow(dead_code, reason = "generated for every use")]
impl<E> UserSettingsHash<E> {
    /// How everything looks.
    ///
    /// The field `theme` of the hash, required.
    pub fn theme(
        &self,
    ) -> ::redis_hashmap::Field<'_, E, Theme, ::redis_hashmap::Bincode> {
        ::redis_hashmap::Record::field(&self.0, &UserSettings::__redis_hash_field_theme)
    }
    /// The field `language` of the hash, with a default that `get` returns where it is absent.
    fn language(
        &self,
    ) -> ::redis_hashmap::Field<
        '_,
        E,
        String,
        ::redis_hashmap::Defaulted<::redis_hashmap::Bincode>,
    > {
        ::redis_hashmap::Record::field(
            &self.0,
            &UserSettings::__redis_hash_field_language,
        )
    }
    /// The field `font_size` of the hash, optional.
    fn font_size(&self) -> ::redis_hashmap::Field<'_, E, u8, ::redis_hashmap::Bincode> {
        ::redis_hashmap::Record::field(
            &self.0,
            &UserSettings::__redis_hash_field_font_size,
        )
    }
    /// The field `logins` of the hash, a counter; it expires.
    fn logins(
        &self,
    ) -> ::redis_hashmap::Field<
        '_,
        E,
        i64,
        ::redis_hashmap::Expiring<::redis_hashmap::Defaulted<::redis_hashmap::Counter>>,
    > {
        ::redis_hashmap::Record::field(&self.0, &UserSettings::__redis_hash_field_logins)
    }
}
#[automatically_derived]
impl<E> ::core::ops::Deref for UserSettingsHash<E> {
    type Target = ::redis_hashmap::Record<UserSettings, E>;
    fn deref(&self) -> &Self::Target {
        &self.0
    }
}
#[automatically_derived]
impl<E> ::core::ops::DerefMut for UserSettingsHash<E> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}
#[automatically_derived]
impl<E> ::core::convert::From<::redis_hashmap::Record<UserSettings, E>>
for UserSettingsHash<E> {
    fn from(__record: ::redis_hashmap::Record<UserSettings, E>) -> Self {
        Self(__record)
    }
}
#[automatically_derived]
impl<E> ::core::clone::Clone for UserSettingsHash<E>
where
    E: ::core::clone::Clone,
{
    fn clone(&self) -> Self {
        Self(::core::clone::Clone::clone(&self.0))
    }
}
#[automatically_derived]
impl<E> ::core::fmt::Debug for UserSettingsHash<E>
where
    E: ::core::fmt::Debug,
{
    fn fmt(&self, __f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        ::core::fmt::Debug::fmt(&self.0, __f)
    }
}
#[automatically_derived]
#[allow(dead_code, non_upper_case_globals, reason = "generated for every use")]
impl UserSettings {
    /// Returns the accessor of the `UserSettings` at a key. No I/O. An empty key makes the first operation fail.
    #[must_use]
    pub fn at(
        key: impl ::core::convert::Into<::std::string::String>,
    ) -> UserSettingsHash<::redis_hashmap::Deferred> {
        UserSettingsHash(::redis_hashmap::Record::at(key))
    }
    /// Returns the accessor of the record at the key `user:{user_id}:settings`. No I/O.
    ///
    /// `%`, `{`, `}` and `:` in an id are percent-encoded. An empty id makes the first operation fail.
    #[must_use]
    pub fn of(
        user_id: impl ::core::fmt::Display,
    ) -> UserSettingsHash<::redis_hashmap::Deferred> {
        UserSettingsHash(
            ::redis_hashmap::Record::of(
                ::redis_hashmap::__private::Template {
                    source: "user:{user_id}:settings",
                    placeholders: &[("user:", "user_id")],
                    tail: ":settings",
                },
                &[&user_id],
            ),
        )
    }
    #[doc(hidden)]
    const __redis_hash_field_theme: ::redis_hashmap::NamedField<
        Theme,
        ::redis_hashmap::Bincode,
    > = ::redis_hashmap::NamedField::<
        Theme,
        _,
    >::required::<
        ::redis_hashmap::Bincode,
    >(const { &::redis_hashmap::__private::DeclaredName::new("theme") });
    #[doc(hidden)]
    const __redis_hash_field_language: ::redis_hashmap::NamedField<
        String,
        ::redis_hashmap::Defaulted<::redis_hashmap::Bincode>,
    > = ::redis_hashmap::NamedField::<
        String,
        _,
    >::defaulted::<
        ::redis_hashmap::Bincode,
    >(
        const { &::redis_hashmap::__private::DeclaredName::new("language") },
        || "en".to_owned(),
    );
    #[doc(hidden)]
    const __redis_hash_field_font_size: ::redis_hashmap::NamedField<
        u8,
        ::redis_hashmap::Bincode,
    > = ::redis_hashmap::NamedField::<
        u8,
        _,
    >::optional::<
        ::redis_hashmap::Bincode,
    >(const { &::redis_hashmap::__private::DeclaredName::new("font_size") });
    #[doc(hidden)]
    const __redis_hash_field_logins: ::redis_hashmap::NamedField<
        i64,
        ::redis_hashmap::Expiring<::redis_hashmap::Defaulted<::redis_hashmap::Counter>>,
    > = ::redis_hashmap::NamedField::<
        i64,
        _,
    >::defaulted::<
        ::redis_hashmap::Counter,
    >(
            const { &::redis_hashmap::__private::DeclaredName::new("logins") },
            || <i64 as ::core::default::Default>::default(),
        )
        .expiring(::core::time::Duration::from_millis(3600000u64));
    #[doc(hidden)]
    const __redis_hash_ttl: ::core::time::Duration = ::core::time::Duration::from_millis(
        2592000000u64,
    );
}
/// What is stored of a [`UserSettings`](struct@UserSettings): each field, or `None` where it is absent. Its `Debug` shows which fields are stored, and no values.
#[allow(
    dead_code,
    clippy::derive_partial_eq_without_eq,
    reason = "generated for every use"
)]
pub struct UserSettingsPartial {
    /// How everything looks.
    pub theme: ::core::option::Option<Theme>,
    /// The field `language`, if it is stored.
    language: ::core::option::Option<String>,
    /// The field `font_size`, if it is stored.
    font_size: ::core::option::Option<u8>,
    /// The field `logins`, if it is stored.
    logins: ::core::option::Option<i64>,
}
#[automatically_derived]
impl ::core::default::Default for UserSettingsPartial {
    fn default() -> Self {
        Self {
            theme: ::core::option::Option::None,
            language: ::core::option::Option::None,
            font_size: ::core::option::Option::None,
            logins: ::core::option::Option::None,
        }
    }
}
#[automatically_derived]
impl ::core::fmt::Debug for UserSettingsPartial {
    fn fmt(&self, __f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        ::redis_hashmap::__private::debug::fields(
            __f,
            "UserSettingsPartial",
            &[
                ("theme", ::redis_hashmap::__private::debug::stored(&self.theme)),
                ("language", ::redis_hashmap::__private::debug::stored(&self.language)),
                (
                    "font_size",
                    ::redis_hashmap::__private::debug::stored(&self.font_size),
                ),
                ("logins", ::redis_hashmap::__private::debug::stored(&self.logins)),
            ],
        )
    }
}
#[automatically_derived]
impl ::core::clone::Clone for UserSettingsPartial
where
    for<'__any> Theme: ::core::clone::Clone,
    for<'__any> String: ::core::clone::Clone,
    for<'__any> u8: ::core::clone::Clone,
    for<'__any> i64: ::core::clone::Clone,
{
    fn clone(&self) -> Self {
        Self {
            theme: ::core::clone::Clone::clone(&self.theme),
            language: ::core::clone::Clone::clone(&self.language),
            font_size: ::core::clone::Clone::clone(&self.font_size),
            logins: ::core::clone::Clone::clone(&self.logins),
        }
    }
}
#[automatically_derived]
impl ::core::cmp::PartialEq for UserSettingsPartial
where
    for<'__any> Theme: ::core::cmp::PartialEq,
    for<'__any> String: ::core::cmp::PartialEq,
    for<'__any> u8: ::core::cmp::PartialEq,
    for<'__any> i64: ::core::cmp::PartialEq,
{
    fn eq(&self, __other: &Self) -> ::core::primitive::bool {
        true && self.theme == __other.theme && self.language == __other.language
            && self.font_size == __other.font_size && self.logins == __other.logins
    }
}
#[automatically_derived]
impl<'de> ::redis_hashmap::__private::FieldsByName<'de> for UserSettingsPartial
where
    Theme: ::redis_hashmap::__private::serde::Deserialize<'de>,
    String: ::redis_hashmap::__private::serde::Deserialize<'de>,
    u8: ::redis_hashmap::__private::serde::Deserialize<'de>,
    i64: ::redis_hashmap::__private::serde::Deserialize<'de>,
{
    const EXPECTING: &'static ::core::primitive::str = "a part of a UserSettings";
    const NAMES: &'static [&'static ::core::primitive::str] = &[
        "theme",
        "language",
        "font_size",
        "logins",
    ];
    const DENY_UNKNOWN: ::core::primitive::bool = false;
    fn read<__A: ::redis_hashmap::__private::serde::de::MapAccess<'de>>(
        &mut self,
        __name: &::core::primitive::str,
        __map: &mut __A,
    ) -> ::core::result::Result<
        ::core::option::Option<::core::primitive::usize>,
        __A::Error,
    > {
        match __name {
            "theme" => {
                self.theme = __map.next_value()?;
                ::core::result::Result::Ok(::core::option::Option::Some(0usize))
            }
            "language" => {
                self.language = __map.next_value()?;
                ::core::result::Result::Ok(::core::option::Option::Some(1usize))
            }
            "font_size" => {
                self.font_size = __map.next_value()?;
                ::core::result::Result::Ok(::core::option::Option::Some(2usize))
            }
            "logins" => {
                self.logins = __map.next_value()?;
                ::core::result::Result::Ok(::core::option::Option::Some(3usize))
            }
            _ => ::core::result::Result::Ok(::core::option::Option::None),
        }
    }
}
#[automatically_derived]
impl<'de> ::redis_hashmap::__private::serde::Deserialize<'de> for UserSettingsPartial
where
    Theme: ::redis_hashmap::__private::serde::Deserialize<'de>,
    String: ::redis_hashmap::__private::serde::Deserialize<'de>,
    u8: ::redis_hashmap::__private::serde::Deserialize<'de>,
    i64: ::redis_hashmap::__private::serde::Deserialize<'de>,
{
    fn deserialize<__D: ::redis_hashmap::__private::serde::Deserializer<'de>>(
        __deserializer: __D,
    ) -> ::core::result::Result<Self, __D::Error> {
        ::redis_hashmap::__private::deserialize_fields(__deserializer)
    }
}
#[automatically_derived]
impl ::redis_hashmap::__private::serde::Serialize for UserSettingsPartial
where
    for<'__any> Theme: ::redis_hashmap::__private::serde::Serialize,
    for<'__any> String: ::redis_hashmap::__private::serde::Serialize,
    for<'__any> u8: ::redis_hashmap::__private::serde::Serialize,
    for<'__any> i64: ::redis_hashmap::__private::serde::Serialize,
{
    fn serialize<__S: ::redis_hashmap::__private::serde::Serializer>(
        &self,
        __serializer: __S,
    ) -> ::core::result::Result<__S::Ok, __S::Error> {
        let __value0 = ::core::option::Option::as_ref(&self.theme);
        let __value1 = ::core::option::Option::as_ref(&self.language);
        let __value2 = ::redis_hashmap::__private::present(&self.font_size);
        let __value3 = ::core::option::Option::as_ref(&self.logins);
        let mut __fields = ::redis_hashmap::__private::serialize_struct(
            __serializer,
            "UserSettings",
            ::core::option::Option::None,
            &[
                ::core::option::Option::is_some(&__value0),
                ::core::option::Option::is_some(&__value1),
                ::core::option::Option::is_some(&__value2),
                ::core::option::Option::is_some(&__value3),
            ],
        )?;
        ::redis_hashmap::__private::serialize_field(&mut __fields, "theme", __value0)?;
        ::redis_hashmap::__private::serialize_field(
            &mut __fields,
            "language",
            __value1,
        )?;
        ::redis_hashmap::__private::serialize_field(
            &mut __fields,
            "font_size",
            __value2,
        )?;
        ::redis_hashmap::__private::serialize_field(&mut __fields, "logins", __value3)?;
        ::redis_hashmap::__private::serde::ser::SerializeStruct::end(__fields)
    }
}
/// A [`UserSettings`](struct@UserSettings) that was read, each field by itself: its value, or why it cannot be read. Its `Debug` shows the errors, and no values.
#[allow(dead_code, reason = "generated for every use")]
pub struct UserSettingsEach {
    /// How everything looks.
    pub theme: ::core::result::Result<Theme, ::redis_hashmap::Error>,
    /// The field `language`, or why it cannot be read.
    language: ::core::result::Result<String, ::redis_hashmap::Error>,
    /// The field `font_size`, or why it cannot be read.
    font_size: ::core::result::Result<
        ::core::option::Option<u8>,
        ::redis_hashmap::Error,
    >,
    /// The field `logins`, or why it cannot be read.
    logins: ::core::result::Result<i64, ::redis_hashmap::Error>,
}
#[automatically_derived]
#[allow(dead_code, reason = "generated for every use")]
impl UserSettingsEach {
    /// Returns what is wrong with the fields that cannot be read.
    #[must_use]
    pub fn errors(&self) -> ::std::vec::Vec<&::redis_hashmap::Error> {
        ::redis_hashmap::__private::each::errors([
            ::redis_hashmap::__private::each::error(&self.theme),
            ::redis_hashmap::__private::each::error(&self.language),
            ::redis_hashmap::__private::each::error(&self.font_size),
            ::redis_hashmap::__private::each::error(&self.logins),
        ])
    }
}
#[automatically_derived]
impl ::core::fmt::Debug for UserSettingsEach {
    fn fmt(&self, __f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        ::redis_hashmap::__private::each::fmt(
            __f,
            "UserSettingsEach",
            &[
                ("theme", ::redis_hashmap::__private::each::error(&self.theme)),
                ("language", ::redis_hashmap::__private::each::error(&self.language)),
                ("font_size", ::redis_hashmap::__private::each::error(&self.font_size)),
                ("logins", ::redis_hashmap::__private::each::error(&self.logins)),
            ],
        )
    }
}
#[automatically_derived]
impl ::core::clone::Clone for UserSettingsEach
where
    for<'__any> Theme: ::core::clone::Clone,
    for<'__any> String: ::core::clone::Clone,
    for<'__any> u8: ::core::clone::Clone,
    for<'__any> i64: ::core::clone::Clone,
{
    fn clone(&self) -> Self {
        Self {
            theme: ::core::clone::Clone::clone(&self.theme),
            language: ::core::clone::Clone::clone(&self.language),
            font_size: ::core::clone::Clone::clone(&self.font_size),
            logins: ::core::clone::Clone::clone(&self.logins),
        }
    }
}
/// The changes to a [`UserSettings`](struct@UserSettings): each field is kept, set or (if it is an `Option`) cleared. By default everything is kept. serde reads it from JSON and the like, under the names that it knows for `UserSettings`: a missing name keeps the field, `null` clears it. Its `Debug` shows no values.
#[allow(
    dead_code,
    clippy::derive_partial_eq_without_eq,
    reason = "generated for every use"
)]
pub struct UserSettingsPatch {
    /// `Some(value)` sets the field `theme`, and `None` keeps it.
    pub theme: ::core::option::Option<Theme>,
    /// `Some(value)` sets the field `language`, and `None` keeps it.
    language: ::core::option::Option<String>,
    /// `Some(Some(value))` sets the field `font_size`, `Some(None)` clears it, and `None` keeps it.
    font_size: ::core::option::Option<::core::option::Option<u8>>,
    /// `Some(value)` sets the field `logins`, and `None` keeps it.
    logins: ::core::option::Option<i64>,
}
#[automatically_derived]
#[allow(dead_code, clippy::missing_const_for_fn, reason = "generated for every use")]
impl UserSettingsPatch {
    /// Sets the field `theme`.
    #[must_use]
    pub fn theme(mut self, value: impl ::redis_hashmap::IntoValue<Theme>) -> Self {
        self.theme = ::core::option::Option::Some(
            ::redis_hashmap::IntoValue::into_value(value),
        );
        self
    }
    /// Sets the field `language`.
    #[must_use]
    fn language(mut self, value: impl ::redis_hashmap::IntoValue<String>) -> Self {
        self.language = ::core::option::Option::Some(
            ::redis_hashmap::IntoValue::into_value(value),
        );
        self
    }
    /// Sets the field `font_size`, or clears it if `None` is given.
    #[must_use]
    fn font_size(
        mut self,
        value: impl ::redis_hashmap::IntoValue<::core::option::Option<u8>>,
    ) -> Self {
        self.font_size = ::core::option::Option::Some(
            ::redis_hashmap::IntoValue::into_value(value),
        );
        self
    }
    /// Sets the field `logins`.
    #[must_use]
    fn logins(mut self, value: impl ::redis_hashmap::IntoValue<i64>) -> Self {
        self.logins = ::core::option::Option::Some(
            ::redis_hashmap::IntoValue::into_value(value),
        );
        self
    }
}
#[automatically_derived]
impl ::core::default::Default for UserSettingsPatch {
    fn default() -> Self {
        Self {
            theme: ::core::option::Option::None,
            language: ::core::option::Option::None,
            font_size: ::core::option::Option::None,
            logins: ::core::option::Option::None,
        }
    }
}
#[automatically_derived]
impl ::core::fmt::Debug for UserSettingsPatch {
    fn fmt(&self, __f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        ::redis_hashmap::__private::debug::fields(
            __f,
            "UserSettingsPatch",
            &[
                ("theme", ::redis_hashmap::__private::debug::patched(&self.theme)),
                ("language", ::redis_hashmap::__private::debug::patched(&self.language)),
                (
                    "font_size",
                    ::redis_hashmap::__private::debug::patched_option(&self.font_size),
                ),
                ("logins", ::redis_hashmap::__private::debug::patched(&self.logins)),
            ],
        )
    }
}
#[automatically_derived]
impl ::core::clone::Clone for UserSettingsPatch
where
    for<'__any> Theme: ::core::clone::Clone,
    for<'__any> String: ::core::clone::Clone,
    for<'__any> u8: ::core::clone::Clone,
    for<'__any> i64: ::core::clone::Clone,
{
    fn clone(&self) -> Self {
        Self {
            theme: ::core::clone::Clone::clone(&self.theme),
            language: ::core::clone::Clone::clone(&self.language),
            font_size: ::core::clone::Clone::clone(&self.font_size),
            logins: ::core::clone::Clone::clone(&self.logins),
        }
    }
}
#[automatically_derived]
impl ::core::cmp::PartialEq for UserSettingsPatch
where
    for<'__any> Theme: ::core::cmp::PartialEq,
    for<'__any> String: ::core::cmp::PartialEq,
    for<'__any> u8: ::core::cmp::PartialEq,
    for<'__any> i64: ::core::cmp::PartialEq,
{
    fn eq(&self, __other: &Self) -> ::core::primitive::bool {
        true && self.theme == __other.theme && self.language == __other.language
            && self.font_size == __other.font_size && self.logins == __other.logins
    }
}
#[automatically_derived]
impl<'de> ::redis_hashmap::__private::FieldsByName<'de> for UserSettingsPatch
where
    Theme: ::redis_hashmap::__private::serde::Deserialize<'de>,
    String: ::redis_hashmap::__private::serde::Deserialize<'de>,
    u8: ::redis_hashmap::__private::serde::Deserialize<'de>,
    i64: ::redis_hashmap::__private::serde::Deserialize<'de>,
{
    const EXPECTING: &'static ::core::primitive::str = "a patch of a UserSettings";
    const NAMES: &'static [&'static ::core::primitive::str] = &[
        "theme",
        "language",
        "font_size",
        "logins",
    ];
    const DENY_UNKNOWN: ::core::primitive::bool = false;
    fn read<__A: ::redis_hashmap::__private::serde::de::MapAccess<'de>>(
        &mut self,
        __name: &::core::primitive::str,
        __map: &mut __A,
    ) -> ::core::result::Result<
        ::core::option::Option<::core::primitive::usize>,
        __A::Error,
    > {
        match __name {
            "theme" => {
                self.theme = ::core::option::Option::Some(__map.next_value()?);
                ::core::result::Result::Ok(::core::option::Option::Some(0usize))
            }
            "language" => {
                self.language = ::core::option::Option::Some(__map.next_value()?);
                ::core::result::Result::Ok(::core::option::Option::Some(1usize))
            }
            "font_size" => {
                self.font_size = ::core::option::Option::Some(__map.next_value()?);
                ::core::result::Result::Ok(::core::option::Option::Some(2usize))
            }
            "logins" => {
                self.logins = ::core::option::Option::Some(__map.next_value()?);
                ::core::result::Result::Ok(::core::option::Option::Some(3usize))
            }
            _ => ::core::result::Result::Ok(::core::option::Option::None),
        }
    }
}
#[automatically_derived]
impl<'de> ::redis_hashmap::__private::serde::Deserialize<'de> for UserSettingsPatch
where
    Theme: ::redis_hashmap::__private::serde::Deserialize<'de>,
    String: ::redis_hashmap::__private::serde::Deserialize<'de>,
    u8: ::redis_hashmap::__private::serde::Deserialize<'de>,
    i64: ::redis_hashmap::__private::serde::Deserialize<'de>,
{
    fn deserialize<__D: ::redis_hashmap::__private::serde::Deserializer<'de>>(
        __deserializer: __D,
    ) -> ::core::result::Result<Self, __D::Error> {
        ::redis_hashmap::__private::deserialize_fields(__deserializer)
    }
}
/// The fields of a [`UserSettings`](struct@UserSettings) by name, from which `get_many` selects.
#[allow(dead_code, reason = "generated for every use")]
pub struct UserSettingsFields {
    /// The field `theme`.
    pub theme: ::redis_hashmap::NamedField<Theme, ::redis_hashmap::Bincode>,
    /// The field `language`.
    language: ::redis_hashmap::NamedField<
        String,
        ::redis_hashmap::Defaulted<::redis_hashmap::Bincode>,
    >,
    /// The field `font_size`.
    font_size: ::redis_hashmap::NamedField<u8, ::redis_hashmap::Bincode>,
    /// The field `logins`.
    logins: ::redis_hashmap::NamedField<
        i64,
        ::redis_hashmap::Expiring<::redis_hashmap::Defaulted<::redis_hashmap::Counter>>,
    >,
}
#[automatically_derived]
impl ::core::fmt::Debug for UserSettingsFields {
    fn fmt(&self, __f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        ::redis_hashmap::__private::debug::fields(
            __f,
            "UserSettingsFields",
            &[
                ("theme", ::redis_hashmap::NamedField::name(&self.theme)),
                ("language", ::redis_hashmap::NamedField::name(&self.language)),
                ("font_size", ::redis_hashmap::NamedField::name(&self.font_size)),
                ("logins", ::redis_hashmap::NamedField::name(&self.logins)),
            ],
        )
    }
}
#[automatically_derived]
impl ::redis_hashmap::RedisHash for UserSettings {
    const FIELDS: &'static [::redis_hashmap::FieldInfo] = &[
        ::redis_hashmap::NamedField::info(&Self::__redis_hash_field_theme),
        ::redis_hashmap::NamedField::info(&Self::__redis_hash_field_language),
        ::redis_hashmap::NamedField::info(&Self::__redis_hash_field_font_size),
        ::redis_hashmap::NamedField::info(&Self::__redis_hash_field_logins),
    ];
    type Hash<__E> = UserSettingsHash<__E>;
    type Partial = UserSettingsPartial;
    type Each = UserSettingsEach;
    type Patch = UserSettingsPatch;
    type Fields = UserSettingsFields;
    const TTL: ::core::option::Option<::core::time::Duration> = ::core::option::Option::Some(
        Self::__redis_hash_ttl,
    );
    const NAMED: Self::Fields = UserSettingsFields {
        theme: Self::__redis_hash_field_theme,
        language: Self::__redis_hash_field_language,
        font_size: Self::__redis_hash_field_font_size,
        logins: Self::__redis_hash_field_logins,
    };
    fn accessor<__E>(
        __target: ::redis_hashmap::__private::Target,
        __executor: __E,
    ) -> Self::Hash<__E> {
        UserSettingsHash(::redis_hashmap::Record::new(__target, __executor))
    }
    fn write(
        &self,
        __out: &mut ::redis_hashmap::__private::Changes,
    ) -> ::core::result::Result<(), ::redis_hashmap::Error> {
        ::redis_hashmap::NamedField::set(
            &Self::__redis_hash_field_theme,
            &self.theme,
            __out,
        )?;
        ::redis_hashmap::NamedField::set(
            &Self::__redis_hash_field_language,
            &self.language,
            __out,
        )?;
        ::redis_hashmap::NamedField::set_option(
            &Self::__redis_hash_field_font_size,
            ::core::option::Option::as_ref(&self.font_size),
            __out,
        )?;
        ::redis_hashmap::NamedField::set(
            &Self::__redis_hash_field_logins,
            &self.logins,
            __out,
        )?;
        ::core::result::Result::Ok(())
    }
    fn write_patch(
        __patch: &Self::Patch,
        __out: &mut ::redis_hashmap::__private::PatchWriter<'_>,
    ) -> ::core::result::Result<(), ::redis_hashmap::Error> {
        ::redis_hashmap::__private::PatchWriter::set(
            __out,
            &Self::__redis_hash_field_theme,
            ::core::option::Option::as_ref(&__patch.theme),
        )?;
        ::redis_hashmap::__private::PatchWriter::set(
            __out,
            &Self::__redis_hash_field_language,
            ::core::option::Option::as_ref(&__patch.language),
        )?;
        ::redis_hashmap::__private::PatchWriter::set_option(
            __out,
            &Self::__redis_hash_field_font_size,
            ::core::option::Option::as_ref(&__patch.font_size),
        )?;
        ::redis_hashmap::__private::PatchWriter::set(
            __out,
            &Self::__redis_hash_field_logins,
            ::core::option::Option::as_ref(&__patch.logins),
        )?;
        ::core::result::Result::Ok(())
    }
    fn read(
        __fields: &mut ::redis_hashmap::__private::RecordReader<'_>,
    ) -> ::core::result::Result<Self, ::redis_hashmap::Error> {
        ::core::result::Result::Ok(Self {
            theme: __fields.required(&Self::__redis_hash_field_theme)?,
            language: __fields.defaulted(&Self::__redis_hash_field_language)?,
            font_size: __fields.option(&Self::__redis_hash_field_font_size)?,
            logins: __fields.defaulted(&Self::__redis_hash_field_logins)?,
        })
    }
    fn read_each(
        __fields: &mut ::redis_hashmap::__private::RecordReader<'_>,
    ) -> Self::Each {
        UserSettingsEach {
            theme: __fields.required(&Self::__redis_hash_field_theme),
            language: __fields.defaulted(&Self::__redis_hash_field_language),
            font_size: __fields.option(&Self::__redis_hash_field_font_size),
            logins: __fields.defaulted(&Self::__redis_hash_field_logins),
        }
    }
    fn read_partial(
        __fields: &mut ::redis_hashmap::__private::RecordReader<'_>,
    ) -> ::core::result::Result<Self::Partial, ::redis_hashmap::Error> {
        ::core::result::Result::Ok(UserSettingsPartial {
            theme: __fields.option(&Self::__redis_hash_field_theme)?,
            language: __fields.option(&Self::__redis_hash_field_language)?,
            font_size: __fields.option(&Self::__redis_hash_field_font_size)?,
            logins: __fields.option(&Self::__redis_hash_field_logins)?,
        })
    }
}
#[automatically_derived]
impl ::redis_hashmap::PlainPatch for UserSettings {}
