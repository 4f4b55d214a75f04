/// The typed accessor of a [`UserSettings`] in Redis: a method for each field, and through [`Record`](::redis_hashmap::Record) the operations on the whole.
#[allow(deprecated)]
pub struct UserSettingsHash<E = ::redis_hashmap::Deferred>(
    ::redis_hashmap::Record<UserSettings, E>,
);
#[automatically_derived]
#[allow(dead_code, deprecated)]
impl<E> UserSettingsHash<E> {
    /// How everything looks.
    ///
    /// The field `theme` of the hash, required.
    pub fn theme(
        &self,
    ) -> ::redis_hashmap::Field<'_, E, Theme, ::redis_hashmap::Bincode> {
        self.0.field(&UserSettings::__redis_hash_field_theme)
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
        self.0.field(&UserSettings::__redis_hash_field_language)
    }
    /// The field `font_size` of the hash, optional.
    fn font_size(&self) -> ::redis_hashmap::Field<'_, E, u8, ::redis_hashmap::Bincode> {
        self.0.field(&UserSettings::__redis_hash_field_font_size)
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
        self.0.field(&UserSettings::__redis_hash_field_logins)
    }
}
#[automatically_derived]
#[allow(deprecated)]
impl<E> ::core::ops::Deref for UserSettingsHash<E> {
    type Target = ::redis_hashmap::Record<UserSettings, E>;
    fn deref(&self) -> &Self::Target {
        &self.0
    }
}
#[automatically_derived]
#[allow(deprecated)]
impl<E> ::core::ops::DerefMut for UserSettingsHash<E> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}
#[automatically_derived]
#[allow(deprecated)]
impl<E> ::core::convert::From<::redis_hashmap::Record<UserSettings, E>>
for UserSettingsHash<E> {
    fn from(record: ::redis_hashmap::Record<UserSettings, E>) -> Self {
        Self(record)
    }
}
#[automatically_derived]
#[allow(deprecated)]
impl<E> ::core::clone::Clone for UserSettingsHash<E>
where
    E: ::core::clone::Clone,
{
    fn clone(&self) -> Self {
        Self(::core::clone::Clone::clone(&self.0))
    }
}
#[automatically_derived]
#[allow(deprecated)]
impl<E> ::core::fmt::Debug for UserSettingsHash<E>
where
    E: ::core::fmt::Debug,
{
    fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        ::core::fmt::Debug::fmt(&self.0, f)
    }
}
#[automatically_derived]
#[allow(dead_code, deprecated, non_upper_case_globals)]
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
        const TEMPLATE: ::redis_hashmap::__private::Template = ::redis_hashmap::__private::Template {
            source: "user:{user_id}:settings",
            placeholders: &[("user:", "user_id")],
            tail: ":settings",
        };
        UserSettingsHash(::redis_hashmap::Record::of(TEMPLATE, &[&user_id]))
    }
    #[doc(hidden)]
    const __redis_hash_field_theme: ::redis_hashmap::NamedField<
        Theme,
        ::redis_hashmap::Bincode,
    > = ::redis_hashmap::NamedField::<
        Theme,
        _,
    >::required::<::redis_hashmap::Bincode>("theme");
    #[doc(hidden)]
    const __redis_hash_field_language: ::redis_hashmap::NamedField<
        String,
        ::redis_hashmap::Defaulted<::redis_hashmap::Bincode>,
    > = ::redis_hashmap::NamedField::<
        String,
        _,
    >::defaulted::<::redis_hashmap::Bincode>("language", || "en".to_owned());
    #[doc(hidden)]
    const __redis_hash_field_font_size: ::redis_hashmap::NamedField<
        u8,
        ::redis_hashmap::Bincode,
    > = ::redis_hashmap::NamedField::<
        u8,
        _,
    >::optional::<::redis_hashmap::Bincode>("font_size");
    #[doc(hidden)]
    const __redis_hash_field_logins: ::redis_hashmap::NamedField<
        i64,
        ::redis_hashmap::Expiring<::redis_hashmap::Defaulted<::redis_hashmap::Counter>>,
    > = ::redis_hashmap::NamedField::<
        i64,
        _,
    >::defaulted::<
        ::redis_hashmap::Counter,
    >("logins", || <i64 as ::core::default::Default>::default())
        .expiring(3600000u64);
}
/// What is stored of a [`UserSettings`]: each field, or `None` where it is absent. Its `Debug` shows which fields are stored, and no values.
#[allow(dead_code, deprecated)]
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
#[allow(deprecated)]
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
#[allow(deprecated)]
impl ::core::fmt::Debug for UserSettingsPartial {
    fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        ::redis_hashmap::__private::debug::fields(
            f,
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
#[allow(deprecated)]
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
#[allow(deprecated)]
impl ::core::cmp::PartialEq for UserSettingsPartial
where
    for<'__any> Theme: ::core::cmp::PartialEq,
    for<'__any> String: ::core::cmp::PartialEq,
    for<'__any> u8: ::core::cmp::PartialEq,
    for<'__any> i64: ::core::cmp::PartialEq,
{
    fn eq(&self, other: &Self) -> ::core::primitive::bool {
        true && self.theme == other.theme && self.language == other.language
            && self.font_size == other.font_size && self.logins == other.logins
    }
}
/// The changes to a [`UserSettings`]: each field is kept, set or (if it is an `Option`) cleared. By default everything is kept. serde reads it from JSON and the like, under the names that it knows for `UserSettings`: a missing name keeps the field, `null` clears it. Its `Debug` shows no values.
#[allow(dead_code, deprecated)]
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
#[allow(dead_code, deprecated)]
impl UserSettingsPatch {
    /// Sets the field `theme`.
    #[must_use]
    pub fn theme(mut self, value: Theme) -> Self {
        self.theme = ::core::option::Option::Some(value);
        self
    }
    /// Sets the field `language`.
    #[must_use]
    fn language(mut self, value: String) -> Self {
        self.language = ::core::option::Option::Some(value);
        self
    }
    /// Sets the field `font_size`, or clears it if `None` is given.
    #[must_use]
    fn font_size(
        mut self,
        value: impl ::core::convert::Into<::core::option::Option<u8>>,
    ) -> Self {
        self.font_size = ::core::option::Option::Some(
            ::core::convert::Into::into(value),
        );
        self
    }
    /// Sets the field `logins`.
    #[must_use]
    fn logins(mut self, value: i64) -> Self {
        self.logins = ::core::option::Option::Some(value);
        self
    }
}
#[automatically_derived]
#[allow(deprecated)]
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
#[allow(deprecated)]
impl ::core::fmt::Debug for UserSettingsPatch {
    fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        ::redis_hashmap::__private::debug::fields(
            f,
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
#[allow(deprecated)]
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
#[allow(deprecated)]
impl ::core::cmp::PartialEq for UserSettingsPatch
where
    for<'__any> Theme: ::core::cmp::PartialEq,
    for<'__any> String: ::core::cmp::PartialEq,
    for<'__any> u8: ::core::cmp::PartialEq,
    for<'__any> i64: ::core::cmp::PartialEq,
{
    fn eq(&self, other: &Self) -> ::core::primitive::bool {
        true && self.theme == other.theme && self.language == other.language
            && self.font_size == other.font_size && self.logins == other.logins
    }
}
#[automatically_derived]
#[allow(deprecated)]
impl<'de> ::redis_hashmap::__private::PatchFields<'de> for UserSettingsPatch
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
        name: &::core::primitive::str,
        map: &mut __A,
    ) -> ::core::result::Result<
        ::core::option::Option<::core::primitive::usize>,
        __A::Error,
    > {
        match name {
            "theme" => {
                self.theme = ::core::option::Option::Some(map.next_value()?);
                ::core::result::Result::Ok(::core::option::Option::Some(0usize))
            }
            "language" => {
                self.language = ::core::option::Option::Some(map.next_value()?);
                ::core::result::Result::Ok(::core::option::Option::Some(1usize))
            }
            "font_size" => {
                self.font_size = ::core::option::Option::Some(map.next_value()?);
                ::core::result::Result::Ok(::core::option::Option::Some(2usize))
            }
            "logins" => {
                self.logins = ::core::option::Option::Some(map.next_value()?);
                ::core::result::Result::Ok(::core::option::Option::Some(3usize))
            }
            _ => ::core::result::Result::Ok(::core::option::Option::None),
        }
    }
}
#[automatically_derived]
#[allow(deprecated)]
impl<'de> ::redis_hashmap::__private::serde::Deserialize<'de> for UserSettingsPatch
where
    Theme: ::redis_hashmap::__private::serde::Deserialize<'de>,
    String: ::redis_hashmap::__private::serde::Deserialize<'de>,
    u8: ::redis_hashmap::__private::serde::Deserialize<'de>,
    i64: ::redis_hashmap::__private::serde::Deserialize<'de>,
{
    fn deserialize<__D: ::redis_hashmap::__private::serde::Deserializer<'de>>(
        deserializer: __D,
    ) -> ::core::result::Result<Self, __D::Error> {
        ::redis_hashmap::__private::deserialize_patch(deserializer)
    }
}
/// The fields of a [`UserSettings`] by name, from which `get_many` selects.
#[allow(dead_code, deprecated)]
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
#[allow(deprecated)]
impl ::core::fmt::Debug for UserSettingsFields {
    fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        ::redis_hashmap::__private::debug::fields(
            f,
            "UserSettingsFields",
            &[
                ("theme", self.theme.name()),
                ("language", self.language.name()),
                ("font_size", self.font_size.name()),
                ("logins", self.logins.name()),
            ],
        )
    }
}
#[automatically_derived]
#[allow(deprecated)]
impl ::redis_hashmap::RedisHash for UserSettings {
    const FIELDS: &'static [::redis_hashmap::FieldInfo] = &[
        Self::__redis_hash_field_theme.info(),
        Self::__redis_hash_field_language.info(),
        Self::__redis_hash_field_font_size.info(),
        Self::__redis_hash_field_logins.info(),
    ];
    type Hash<__E> = UserSettingsHash<__E>;
    type Partial = UserSettingsPartial;
    type Patch = UserSettingsPatch;
    type Fields = UserSettingsFields;
    const TTL: ::core::option::Option<::core::time::Duration> = ::core::option::Option::Some(
        ::core::time::Duration::from_millis(2592000000u64),
    );
    const NAMED: Self::Fields = UserSettingsFields {
        theme: Self::__redis_hash_field_theme,
        language: Self::__redis_hash_field_language,
        font_size: Self::__redis_hash_field_font_size,
        logins: Self::__redis_hash_field_logins,
    };
    fn accessor<__E>(
        target: ::redis_hashmap::__private::Target,
        executor: __E,
    ) -> Self::Hash<__E> {
        UserSettingsHash(::redis_hashmap::Record::new(target, executor))
    }
    fn write(
        &self,
        out: &mut ::redis_hashmap::__private::Changes,
    ) -> ::core::result::Result<(), ::redis_hashmap::Error> {
        Self::__redis_hash_field_theme.set(&self.theme, out)?;
        Self::__redis_hash_field_language.set(&self.language, out)?;
        Self::__redis_hash_field_font_size.set_option(self.font_size.as_ref(), out)?;
        Self::__redis_hash_field_logins.set(&self.logins, out)?;
        ::core::result::Result::Ok(())
    }
    fn write_patch(
        patch: &Self::Patch,
        out: &mut ::redis_hashmap::__private::Changes,
    ) -> ::core::result::Result<(), ::redis_hashmap::Error> {
        Self::__redis_hash_field_theme.patch(patch.theme.as_ref(), out)?;
        Self::__redis_hash_field_language.patch(patch.language.as_ref(), out)?;
        Self::__redis_hash_field_font_size.patch_option(patch.font_size.as_ref(), out)?;
        Self::__redis_hash_field_logins.patch(patch.logins.as_ref(), out)?;
        ::core::result::Result::Ok(())
    }
    fn read(
        fields: &mut ::redis_hashmap::__private::RecordReader<'_>,
    ) -> ::core::result::Result<Self, ::redis_hashmap::Error> {
        ::core::result::Result::Ok(Self {
            theme: fields.required(&Self::__redis_hash_field_theme)?,
            language: fields.defaulted(&Self::__redis_hash_field_language)?,
            font_size: fields.option(&Self::__redis_hash_field_font_size)?,
            logins: fields.defaulted(&Self::__redis_hash_field_logins)?,
        })
    }
    fn read_partial(
        fields: &mut ::redis_hashmap::__private::RecordReader<'_>,
    ) -> ::core::result::Result<Self::Partial, ::redis_hashmap::Error> {
        ::core::result::Result::Ok(UserSettingsPartial {
            theme: fields.option(&Self::__redis_hash_field_theme)?,
            language: fields.option(&Self::__redis_hash_field_language)?,
            font_size: fields.option(&Self::__redis_hash_field_font_size)?,
            logins: fields.option(&Self::__redis_hash_field_logins)?,
        })
    }
}
